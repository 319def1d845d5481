import { createHash, hash } from 'node:crypto';
import type { Body, ResultKey, ResultMetadata } from '@routine-engine/core/adapter';
import { fitsParts, isResultMetadata, isSize, RoutineEngineError } from '@routine-engine/core/adapter';

// The bytes of a result file, version 1. They are specified in the README; a change there or here needs a new version.

/** First bytes of every result file: a name, and line ends that any transfer as text would change. */
const MAGIC = Buffer.from('\x89RER\r\n\x1a\n', 'latin1');
const VERSION = 1;
/** Bytes before the metadata. */
export const FIXED_BYTES = 64;
/** Bytes of a SHA-256. */
export const DIGEST_BYTES = 32;
/** Most bytes of metadata as JSON: room for the most of everything that they may hold. */
const METADATA_BYTES = 8 * 1024 * 1024;
/** Smallest file that can be one: no metadata worth the name, one empty part. */
const LEAST_BYTES = FIXED_BYTES + 8 + 2 * DIGEST_BYTES;

const AT = { version: 8, metadataBytes: 12, parts: 16, reserved: 20, byteLength: 24, key: 32 } as const;

/** Why a file is not the result it should be. Never leaves this package: the store makes an event and a miss of it. */
export class Damage extends Error {}

/** What stands before the parts. */
export interface Header {
  readonly metadata: ResultMetadata;
  readonly sizes: readonly number[];
  readonly byteLength: number;
  /** Bytes of the header itself, its digest included: where the first part begins. */
  readonly headerBytes: number;
  /** Bytes of the whole file. */
  readonly fileBytes: number;
}

/** Bytes to add to a length, so that what follows begins at a multiple of 8: there a view of any element type may begin. */
export function paddingOf(byteLength: number): number {
  return (8 - (byteLength % 8)) % 8;
}

/**
 * The header of a result.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` when the body's sizes or the metadata cannot be kept as they are.
 */
export function encodeHeader(key: ResultKey, metadata: ResultMetadata, body: Body): Buffer {
  const { sizes, byteLength, parts } = body;
  const agrees =
    !parts || (parts.length === sizes.length && parts.every((part, at) => part.byteLength === sizes[at]));
  if (!agrees || sizes.length === 0 || !sizes.every(isSize) || sum(sizes) !== byteLength) {
    const said = `${byteLength} bytes in all and parts of [${sizes.slice(0, 20).join(', ')}] bytes`;
    throw new RoutineEngineError(
      'BYTES_MALFORMED',
      `The body of result ${key} says that it has ${said}, which is not so`,
    );
  }
  const json = Buffer.from(JSON.stringify(metadata), 'utf8');
  if (json.byteLength > METADATA_BYTES || !isResultMetadata(metadata) || !fitsParts(metadata, sizes)) {
    const wanted = `complete metadata of at most ${METADATA_BYTES} bytes as JSON that fit its parts`;
    const got = json.toString('utf8', 0, 200);
    throw new RoutineEngineError('BYTES_MALFORMED', `A result is kept with ${wanted}; ${key} has ${got}`);
  }
  const sizesAt = FIXED_BYTES + json.byteLength + paddingOf(json.byteLength);
  const header = Buffer.alloc(sizesAt + 8 * sizes.length + DIGEST_BYTES);
  MAGIC.copy(header);
  header.writeUInt32LE(VERSION, AT.version);
  header.writeUInt32LE(json.byteLength, AT.metadataBytes);
  header.writeUInt32LE(sizes.length, AT.parts);
  header.writeBigUInt64LE(BigInt(byteLength), AT.byteLength);
  header.write(key, AT.key, 'hex');
  json.copy(header, FIXED_BYTES);
  for (const [index, size] of sizes.entries()) header.writeBigUInt64LE(BigInt(size), sizesAt + 8 * index);
  const digestAt = header.byteLength - DIGEST_BYTES;
  hash('sha256', header.subarray(0, digestAt), 'buffer').copy(header, digestAt);
  return header;
}

/**
 * How long the whole header is, from its first {@link FIXED_BYTES} bytes; at most `fileBytes`.
 * @throws {@link Damage} when the file cannot be a result of that key.
 */
export function headerBytesOf(start: Buffer, key: ResultKey, fileBytes: number): number {
  if (fileBytes < LEAST_BYTES || start.byteLength < FIXED_BYTES)
    throw new Damage(`has only ${fileBytes} bytes`);
  if (MAGIC.compare(start, 0, MAGIC.byteLength) !== 0)
    throw new Damage('does not begin as a result file does');
  const version = start.readUInt32LE(AT.version);
  if (version !== VERSION) throw new Damage(`is of format version ${version}, not ${VERSION}`);
  if (start.readUInt32LE(AT.reserved) !== 0) throw new Damage('has a reserved field that is not zero');
  const kept = start.toString('hex', AT.key, FIXED_BYTES);
  if (kept !== key) throw new Damage(`holds the result ${kept}`);
  const metadataBytes = start.readUInt32LE(AT.metadataBytes);
  const parts = start.readUInt32LE(AT.parts);
  const bytes = FIXED_BYTES + metadataBytes + paddingOf(metadataBytes) + 8 * parts + DIGEST_BYTES;
  if (metadataBytes > METADATA_BYTES || parts === 0 || bytes + DIGEST_BYTES > fileBytes) {
    throw new Damage(
      `says ${metadataBytes} bytes of metadata and ${parts} parts in a file of ${fileBytes} bytes`,
    );
  }
  return bytes;
}

/**
 * Reads a header; `verified` when a digest over the whole file was right already.
 * @param bytes - begins with the header, and may go on.
 * @throws {@link Damage} when the file cannot be a result of that key.
 */
export function decodeHeader(bytes: Buffer, key: ResultKey, fileBytes: number, verified = false): Header {
  const headerBytes = headerBytesOf(bytes, key, fileBytes);
  const digestAt = headerBytes - DIGEST_BYTES;
  if (!verified && !isDigestOf(bytes.subarray(0, digestAt), bytes, digestAt)) {
    throw new Damage('has a header that was changed or cut');
  }
  const metadataEnd = FIXED_BYTES + bytes.readUInt32LE(AT.metadataBytes);
  const sizes: number[] = [];
  let end = headerBytes;
  for (let at = digestAt - 8 * bytes.readUInt32LE(AT.parts); at < digestAt; at += 8) {
    const size = Number(bytes.readBigUInt64LE(at));
    sizes.push(size);
    end += size + paddingOf(size);
  }
  const byteLength = Number(bytes.readBigUInt64LE(AT.byteLength));
  if (end + DIGEST_BYTES !== fileBytes || sum(sizes) !== byteLength) {
    throw new Damage(`has ${fileBytes} bytes, but its header describes ${end + DIGEST_BYTES}`);
  }
  const metadata = decodeMetadata(bytes.toString('utf8', FIXED_BYTES, metadataEnd));
  if (!fitsParts(metadata, sizes)) throw new Damage('has metadata that name other parts than it has');
  return { metadata, sizes, byteLength, headerBytes, fileBytes };
}

/** Whether the SHA-256 of `bytes` stands in `file` at `offset`. */
export function isDigestOf(bytes: Uint8Array, file: Buffer, offset: number): boolean {
  // As text: one of these is made in half the time of a Buffer.
  return hash('sha256', bytes, 'hex') === file.toString('hex', offset, offset + DIGEST_BYTES);
}

/** A digest of bytes that come piece by piece. */
export function startDigest(): { update(bytes: Uint8Array): unknown; digest(): Buffer } {
  return createHash('sha256');
}

function decodeMetadata(json: string): ResultMetadata {
  let metadata: unknown;
  try {
    metadata = JSON.parse(json);
  } catch (error) {
    throw new Damage('has metadata that are not JSON', { cause: error });
  }
  if (!isResultMetadata(metadata)) throw new Damage('has metadata in which something is missing or wrong');
  return metadata;
}

function sum(sizes: readonly number[]): number {
  let bytes = 0;
  for (const size of sizes) bytes += size;
  return bytes;
}
