import { hash } from 'node:crypto';
import {
  fitsParts,
  isBlobDigest,
  isResultMetadata,
  isSize,
  RoutineEngineError,
  type ResultMetadata,
} from '@routine-engine/core/adapter';
import { Damage } from './damage.js';

// The bytes of an entry, version 1. They are specified in the README; a change there or here needs a new version.

/** First bytes of every entry: a name, and line ends that any transfer as text would change. */
const MAGIC = Buffer.from('\x89RES\r\n\x1a\n', 'latin1');
const VERSION = 1;
const FIXED_BYTES = 16;
const DIGEST_BYTES = 32;
/** Most bytes of an entry before its content. */
const HEADER_BYTES = 6 * 1024 * 1024;
/** A content of at most this many bytes is in the entry itself. */
export const INLINE_BYTES = 256 * 1024;
/** Most bytes of an entry. */
export const ENTRY_BYTES = HEADER_BYTES + INLINE_BYTES;
/** What a look at an entry reads: enough for nearly every header. */
export const LOOK_BYTES = 8 * 1024;

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const HEX = /^[0-9a-f]{64}$/;

/** What an entry says of the result or blob of its key. */
export interface Entry {
  readonly kind: 'result' | 'blob';
  /** Key of the result, or digest of the blob. */
  readonly key: string;
  /** No other entry has it: tells whose entry it is. */
  readonly id: string;
  /** Whether the content follows in the entry; else it is the object `data/<id>`. */
  readonly inline: boolean;
  readonly byteLength: number;
  /** SHA-256 of the content. */
  readonly digest: string;
  /** Of a result: bytes of each part of the content. */
  readonly sizes?: readonly number[];
  /** Of a result. */
  readonly metadata?: ResultMetadata;
}

/** The bytes of an entry before its content. @throws {@link RoutineEngineError} `BYTES_MALFORMED` when they are too many. */
export function encodeEntry(entry: Entry): Buffer {
  const json = Buffer.from(JSON.stringify(entry), 'utf8');
  const header = Buffer.alloc(FIXED_BYTES + json.byteLength + DIGEST_BYTES);
  if (header.byteLength > HEADER_BYTES) {
    const message = `The ${entry.kind} ${entry.key} has ${json.byteLength} bytes of metadata and sizes as JSON; most are ${HEADER_BYTES}`;
    throw new RoutineEngineError('BYTES_MALFORMED', message);
  }
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, 8);
  header.writeUInt32LE(json.byteLength, 12);
  json.copy(header, FIXED_BYTES);
  const digestAt = header.byteLength - DIGEST_BYTES;
  hash('sha256', header.subarray(0, digestAt), 'buffer').copy(header, digestAt);
  return header;
}

/**
 * How many bytes stand before the content.
 * @param start - at least the first bytes of the entry.
 * @param entryBytes - of the whole entry.
 * @throws {@link Damage} when it cannot be an entry.
 */
export function headerBytesOf(start: Buffer, entryBytes: number): number {
  if (start.byteLength < FIXED_BYTES) throw new Damage(`has only ${entryBytes} bytes`);
  if (MAGIC.compare(start, 0, MAGIC.byteLength) !== 0) throw new Damage('does not begin as an entry does');
  const version = start.readUInt32LE(8);
  if (version !== VERSION) throw new Damage(`is of format version ${version}, not ${VERSION}`);
  const headerBytes = FIXED_BYTES + start.readUInt32LE(12) + DIGEST_BYTES;
  if (headerBytes > Math.min(entryBytes, HEADER_BYTES)) {
    throw new Damage(`says that ${headerBytes} of its ${entryBytes} bytes stand before the content`);
  }
  return headerBytes;
}

/**
 * Reads what stands before the content.
 * @param header - exactly those bytes.
 * @throws {@link Damage} when it is not the entry of that kind and key.
 */
export function decodeEntry(header: Buffer, kind: Entry['kind'], key: string, entryBytes: number): Entry {
  const digestAt = header.byteLength - DIGEST_BYTES;
  const digest = hash('sha256', header.subarray(0, digestAt), 'buffer');
  if (digest.compare(header, digestAt) !== 0) throw new Damage('has a header that was changed or cut');
  let entry: unknown;
  try {
    entry = JSON.parse(header.toString('utf8', FIXED_BYTES, digestAt));
  } catch (error) {
    throw new Damage('has a header that is not JSON', { cause: error });
  }
  if (!isEntry(entry)) throw new Damage('has a header in which something is missing or wrong');
  if (entry.kind !== kind || entry.key !== key) throw new Damage(`is that of the ${entry.kind} ${entry.key}`);
  const expected = header.byteLength + (entry.inline ? entry.byteLength : 0);
  if (expected !== entryBytes)
    throw new Damage(`has ${entryBytes} bytes, but its header describes ${expected}`);
  return entry;
}

/** Whether it is of the form of the ids of entries. */
export function isEntryId(id: string): boolean {
  return UUID.test(id);
}

/** Name of the object that has the content of an entry that has not. */
export function dataNameOf(id: string): string {
  return `data/${id}`;
}

/** Whether they can be the sizes of the parts of so many bytes. */
export function areSizes(sizes: unknown, byteLength: unknown): sizes is readonly number[] {
  if (!Array.isArray(sizes) || sizes.length === 0) return false;
  let bytes = 0;
  for (const size of sizes as readonly unknown[]) {
    if (!isSize(size)) return false;
    bytes += size;
  }
  return bytes === byteLength;
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, key, id, inline, byteLength, digest, sizes, metadata } = value as Partial<Entry>;
  const isNamed = typeof key === 'string' && HEX.test(key) && typeof id === 'string' && UUID.test(id);
  if (!isNamed || typeof inline !== 'boolean' || !isSize(byteLength) || !isBlobDigest(digest)) return false;
  if (kind === 'blob') return digest === key;
  return (
    kind === 'result' &&
    areSizes(sizes, byteLength) &&
    isResultMetadata(metadata) &&
    fitsParts(metadata, sizes)
  );
}
