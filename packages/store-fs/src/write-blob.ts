import { createHash, type Hash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { promisify } from 'node:util';
import { untilAborted } from '@routine-engine/core/adapter';
import { close, storeError, sync, writeAll } from './file-access.js';
import type { NewFile } from './store-place.js';

/** How much is digested at a time: other work of the thread never waits longer than that takes (about 1 ms). */
const PIECE_BYTES = 1024 * 1024;
/** From this many bytes on the disk begins with what was written, while more is: then little is left to do at the end. */
const SYNC_BYTES = 16 * PIECE_BYTES;
/** Chunks from this size on are written as they are; smaller ones are gathered, {@link PIECE_BYTES} for one call. */
const LARGE_BYTES = 256 * 1024;

const syncData = promisify(fs.fdatasync);

/** How a blob is to be written. */
export interface BlobWriting {
  /** For errors. */
  readonly doing: string;
  /** Whether the bytes are to be on the disk, not only with the system, before the file counts as written. */
  readonly durable: boolean;
  readonly signal: AbortSignal | undefined;
}

/** The SHA-256 of bytes in memory; lets other work in between. @throws the signal's reason. */
export async function digestOfBytes(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string> {
  const digest = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
    if (at > 0) await setImmediate();
    signal?.throwIfAborted();
    digest.update(bytes.subarray(at, at + PIECE_BYTES));
  }
  return digest.digest('hex');
}

/**
 * Writes bytes in memory, or chunks as they come, into a new file, and closes it. A chunk is asked for when the last was
 * written or copied.
 * @returns the SHA-256 of the bytes, and how many they are.
 * @throws {@link RoutineEngineError} `STORE_FULL` or `STORE_UNREACHABLE`; the signal's reason; and what the chunks throw.
 */
export async function writeBlob(
  target: NewFile,
  source: Uint8Array | AsyncIterable<Uint8Array>,
  writing: BlobWriting,
): Promise<{ digest: string; byteLength: number }> {
  const writer = new DigestingWriter(target, writing);
  try {
    if (source instanceof Uint8Array) await writer.addPieces(source);
    else for await (const chunk of untilAborted(source, writing.signal)) await writer.add(chunk);
    await writer.end();
  } finally {
    await writer.idle();
    await close(target.file);
  }
  return { digest: writer.digest.digest('hex'), byteLength: writer.byteLength };
}

/**
 * Digests while the system writes, and the disk takes in what was written before. Two pieces of memory of its own: one is
 * filled while the other is written.
 */
class DigestingWriter {
  readonly digest: Hash = createHash('sha256');
  byteLength = 0;
  readonly #target: NewFile;
  readonly #writing: BlobWriting;
  #filling: Uint8Array | undefined;
  #spare: Uint8Array | undefined;
  #filled = 0;
  #written: Promise<void> | undefined;
  #synced: Promise<void> | undefined;
  #unsyncedBytes = 0;

  constructor(target: NewFile, writing: BlobWriting) {
    this.#target = target;
    this.#writing = writing;
  }

  /** Afterwards the chunk is its owner's again. */
  async add(chunk: Uint8Array): Promise<void> {
    if (chunk.byteLength < LARGE_BYTES) return this.#gather(chunk);
    await this.#flush();
    await this.addPieces(chunk);
    await this.#written;
  }

  /** The bytes stay as they are until everything is written. */
  async addPieces(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES) {
      await this.#start(bytes.subarray(at, at + PIECE_BYTES));
    }
  }

  /** Writes what is still gathered. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#written;
    await this.#synced;
    this.#writing.signal?.throwIfAborted();
    if (this.#writing.durable) await this.#orStoreError(sync(this.#target.file));
  }

  /** Resolves when nothing is being written, whatever became of it: then the file may be closed. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#written, this.#synced]);
  }

  async #gather(chunk: Uint8Array): Promise<void> {
    if (this.#filled + chunk.byteLength > PIECE_BYTES) await this.#flush();
    this.#filling ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#filling.set(chunk, this.#filled);
    this.#filled += chunk.byteLength;
  }

  async #flush(): Promise<void> {
    const memory = this.#filling;
    if (!memory || this.#filled === 0) return;
    const piece = memory.subarray(0, this.#filled);
    this.#filled = 0;
    await this.#start(piece);
    // The write before has ended by now, so what it wrote from is free.
    this.#filling = this.#spare;
    this.#spare = memory;
  }

  async #start(piece: Uint8Array): Promise<void> {
    await this.#written;
    this.#writing.signal?.throwIfAborted();
    await this.#syncSome(piece.byteLength);
    this.#written = this.#orStoreError(writeAll(this.#target.file, [piece]));
    // It is awaited with the next piece; until then its failure is nobody's.
    void Promise.allSettled([this.#written]);
    this.digest.update(piece);
    this.byteLength += piece.byteLength;
  }

  /** @param more - bytes that are about to be written. */
  async #syncSome(more: number): Promise<void> {
    if (this.#writing.durable && this.#unsyncedBytes >= SYNC_BYTES) {
      // The system tells of a failure once: it must not be missed.
      await this.#synced;
      this.#synced = this.#orStoreError(syncData(this.#target.file));
      void Promise.allSettled([this.#synced]);
      this.#unsyncedBytes = 0;
    }
    this.#unsyncedBytes += more;
  }

  async #orStoreError(operation: Promise<void>): Promise<void> {
    try {
      await operation;
    } catch (error) {
      throw storeError(this.#writing.doing, this.#target.path, error);
    }
  }
}
