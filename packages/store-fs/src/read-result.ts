import fs, { type Stats } from 'node:fs';
import type { Body, ResultEntry, ResultKey, StoredResult } from '@routine-engine/core/adapter';
import { bodyOf, encodedOfParts } from '@routine-engine/core/adapter';
import { isCode, openAndRead, type OpenedFile, openFile, readAt } from './file-access.js';
import {
  Damage,
  decodeHeader,
  DIGEST_BYTES,
  FIXED_BYTES,
  type Header,
  headerBytesOf,
  isDigestOf,
  paddingOf,
  startDigest,
} from './file-format.js';

/**
 * A file up to this many bytes is read with one call into one piece of memory; also how much of a larger one is read and
 * digested at a time, so that other work of the thread never waits longer than that takes (about 1 ms).
 */
const PIECE_BYTES = 1024 * 1024;
/** What a look at the header reads: enough for nearly every header. */
const LOOK_BYTES = 4096;

/** A file as it was found not to be a result. */
export interface DamagedFile {
  readonly damage: string;
  /** Number of the file, to tell it from one that was put in its place since; absent for a symbolic link. */
  readonly ino?: number;
}

const LINK: DamagedFile = { damage: 'is a symbolic link' };

/**
 * Reads and verifies a result.
 * @param use - gets it, once. @param fail - gets, in its place, what the file system throws, such as `ENOENT`, or the signal's
 *   reason. The promise is settled by what they return or throw: one for each step would cost more than the step.
 */
export function readResult<T>(
  path: string,
  key: ResultKey,
  signal: AbortSignal | undefined,
  use: (found: StoredResult | DamagedFile) => T | PromiseLike<T>,
  fail: (error: unknown) => T | PromiseLike<T>,
): Promise<T> {
  const room = idleRooms.pop() ?? newRoom();
  // Most results are read whole by this: no size was asked for, and no memory made for more than their parts.
  return openAndRead(
    path,
    room.buffer,
    (opened) => {
      const small = smallResult(room, opened.bytes, key);
      leaveRoom(room);
      if (!small) return readOpened(opened, key, signal).then(use, fail);
      try {
        fs.closeSync(opened.file);
      } catch (error) {
        return fail(error);
      }
      return use(small);
    },
    (error) => {
      leaveRoom(room);
      return isCode(error, 'ELOOP') ? use(LINK) : fail(error);
    },
  );
}

/** Memory into which the beginning of a file is read; the same twice, since `slice` of a Buffer copies nothing. */
interface Room {
  readonly buffer: Buffer;
  readonly bytes: Uint8Array;
}

const ROOM_BYTES = 16 * 1024;
/** Rooms to keep while nobody reads. */
const MOST_IDLE = 64;
const idleRooms: Room[] = [];

function newRoom(): Room {
  const buffer = Buffer.allocUnsafeSlow(ROOM_BYTES);
  return { buffer, bytes: new Uint8Array(buffer.buffer) };
}

function leaveRoom(room: Room): void {
  if (idleRooms.length < MOST_IDLE) idleRooms.push(room);
}

/** The result whose whole file was read. Nothing when there may be more of it, or when it is damaged: why is found out then. */
function smallResult({ buffer, bytes }: Room, fileBytes: number, key: ResultKey): StoredResult | undefined {
  const digestAt = fileBytes - DIGEST_BYTES;
  if (fileBytes === ROOM_BYTES || digestAt < FIXED_BYTES) return undefined;
  if (!isDigestOf(bytes.subarray(0, digestAt), buffer, digestAt)) return undefined;
  try {
    const { metadata, sizes, headerBytes } = decodeHeader(buffer, key, fileBytes, true);
    let at = headerBytes;
    // Each in memory of its own: who holds a part must not reach into others, nor hold on to them.
    const parts = sizes.map((size) => {
      const part = bytes.slice(at, at + size);
      at += size + paddingOf(size);
      return part;
    });
    return { metadata, body: bodyOf(encodedOfParts(parts)) };
  } catch {
    // What is wrong with it is told when it is read once more.
    return undefined;
  }
}

function readOpened(
  { file }: OpenedFile,
  key: ResultKey,
  signal: AbortSignal | undefined,
): Promise<StoredResult | DamagedFile> {
  return inFile(file, async ({ size }) => {
    if (size > PIECE_BYTES) return readLarge(file, key, size, signal);
    // Memory of its own, not of Node's pool: who holds a part must not reach into that of others.
    const bytes = Buffer.allocUnsafeSlow(size);
    if ((await readAt(file, bytes, 0)) < size) throw new Damage('became shorter while it was read');
    const digestAt = size - DIGEST_BYTES;
    if (digestAt < FIXED_BYTES || !isDigestOf(bytes.subarray(0, digestAt), bytes, digestAt)) {
      throw new Damage(whatIsWrong(bytes, key, size));
    }
    const header = decodeHeader(bytes, key, size, true);
    return { metadata: header.metadata, body: bodyIn(header, [{ bytes: bytes.buffer, from: 0 }]) };
  });
}

/** Reads the header only. @throws what the file system throws. */
export async function readEntry(
  path: string,
  key: ResultKey,
): Promise<Omit<ResultEntry, 'pinned'> | DamagedFile> {
  let file: number;
  try {
    file = await openFile(path);
  } catch (error) {
    if (isCode(error, 'ELOOP')) return LINK;
    throw error;
  }
  return inFile(file, async ({ size }) => {
    const { metadata, byteLength } = decodeHeader(await readHeader(file, key, size), key, size);
    return { key, metadata, byteLength };
  });
}

/** Reads from an open file, and closes it. */
async function inFile<T>(file: number, read: (stat: Stats) => Promise<T>): Promise<T | DamagedFile> {
  // Both calls in this thread: an open file answers them from memory, and a turn through the pool costs more than they do.
  let ino: number | undefined;
  try {
    const stat = fs.fstatSync(file);
    ino = stat.ino;
    if (!stat.isFile()) throw new Damage('is not a file');
    return await read(stat);
  } catch (error) {
    if (error instanceof Damage) return { damage: error.message, ...(ino !== undefined && { ino }) };
    throw error;
  } finally {
    fs.closeSync(file);
  }
}

/** The more telling reason, if there is one, why a file whose digest is wrong is no result. */
function whatIsWrong(bytes: Buffer, key: ResultKey, fileBytes: number): string {
  try {
    decodeHeader(bytes, key, fileBytes);
  } catch (error) {
    if (error instanceof Damage) return error.message;
    throw error;
  }
  return 'has bytes that were changed';
}

async function readHeader(file: number, key: ResultKey, fileBytes: number): Promise<Buffer> {
  const start = Buffer.allocUnsafeSlow(Math.min(LOOK_BYTES, fileBytes));
  const there = await readAt(file, start, 0);
  const headerBytes = headerBytesOf(start.subarray(0, there), key, fileBytes);
  if (headerBytes <= there) return start.subarray(0, headerBytes);
  const header = Buffer.allocUnsafeSlow(headerBytes);
  if ((await readAt(file, header, 0)) < headerBytes) throw new Damage('became shorter while it was read');
  return header;
}

/** Memory for neighbouring parts. `from` is where its first byte stands in the file. */
interface Memory {
  readonly bytes: ArrayBuffer;
  readonly from: number;
}

async function readLarge(
  file: number,
  key: ResultKey,
  fileBytes: number,
  signal: AbortSignal | undefined,
): Promise<StoredResult> {
  const headerBytes = await readHeader(file, key, fileBytes);
  const header = decodeHeader(headerBytes, key, fileBytes);
  const memories = memoriesFor(header);
  const digest = startDigest();
  let before: Uint8Array = headerBytes;
  for (const { piece, at } of piecesOf(memories)) {
    signal?.throwIfAborted();
    const reading = readAt(file, piece, at);
    // While the disk works.
    digest.update(before);
    if ((await reading) < piece.byteLength) throw new Damage('became shorter while it was read');
    before = piece;
  }
  digest.update(before);
  const kept = Buffer.allocUnsafeSlow(DIGEST_BYTES);
  await readAt(file, kept, fileBytes - DIGEST_BYTES);
  if (digest.digest().compare(kept) !== 0) throw new Damage('has bytes that were changed');
  return { metadata: header.metadata, body: bodyIn(header, memories) };
}

/**
 * A large part has memory of its own, so that a value which keeps one part does not hold on to all; small neighbours
 * share. Every part begins at a multiple of 8 there, as in the file.
 */
function memoriesFor(header: Header): Memory[] {
  const memories: Memory[] = [];
  let from = header.headerBytes;
  let bytes = 0;
  const end = (): void => {
    if (bytes > 0) memories.push({ bytes: Buffer.allocUnsafeSlow(bytes).buffer, from });
    from += bytes;
    bytes = 0;
  };
  for (const size of header.sizes) {
    const padded = size + paddingOf(size);
    if (bytes + padded > PIECE_BYTES) end();
    bytes += padded;
  }
  end();
  return memories;
}

function* piecesOf(memories: readonly Memory[]): Generator<{ piece: Uint8Array; at: number }> {
  for (const { bytes, from } of memories) {
    for (let offset = 0; offset < bytes.byteLength; offset += PIECE_BYTES) {
      const length = Math.min(PIECE_BYTES, bytes.byteLength - offset);
      yield { piece: new Uint8Array(bytes, offset, length), at: from + offset };
    }
  }
}

function bodyIn(header: Header, memories: readonly Memory[]): Body {
  let at = header.headerBytes;
  let index = 0;
  const parts = header.sizes.map((size) => {
    let memory = memories[index];
    while (memory && at + size > memory.from + memory.bytes.byteLength) memory = memories[(index += 1)];
    const part =
      memory && size > 0 ? new Uint8Array(memory.bytes, at - memory.from, size) : new Uint8Array(0);
    at += size + paddingOf(size);
    return part;
  });
  return bodyOf(encodedOfParts(parts));
}
