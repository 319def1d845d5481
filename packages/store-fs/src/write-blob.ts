import { createHash, type Hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { untilAborted } from '@routine-engine/core/adapter';
import { close, storeError, sync, writeAll } from './file-access.js';
import type { NewFile } from './store-place.js';

/** How much is digested at a time: other work of the thread never waits longer than that takes (about 1 ms). */
const PIECE_BYTES = 1024 * 1024;
/** How much of bytes in memory is written with one call to the system. */
const WRITE_BYTES = 4 * PIECE_BYTES;
/** Chunks from this size on are written as they are; smaller ones are gathered, {@link PIECE_BYTES} for one call. */
const LARGE_BYTES = 256 * 1024;

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
 * Writes bytes in memory into a new file, and closes it.
 * @throws {@link RoutineEngineError} `STORE_FULL` or `STORE_UNREACHABLE`; the signal's reason.
 */
export async function writeBytes(target: NewFile, bytes: Uint8Array, writing: BlobWriting): Promise<void> {
  await writeThrough(target, writing, async () => {
    for (let at = 0; at < bytes.byteLength; at += WRITE_BYTES) {
      writing.signal?.throwIfAborted();
      const written = writeAll(target.file, [bytes.subarray(at, at + WRITE_BYTES)]);
      await asStoreError(written, target, writing);
    }
  });
}

/**
 * Writes chunks into a new file as they come, and closes it. A chunk is asked for when the last was written or copied.
 * @returns the SHA-256 of the bytes, and how many they are.
 * @throws as {@link writeBytes}; and what the chunks throw.
 */
export async function writeChunks(
  target: NewFile,
  chunks: AsyncIterable<Uint8Array>,
  writing: BlobWriting,
): Promise<{ digest: string; byteLength: number }> {
  const writer = new DigestingWriter((piece) =>
    asStoreError(writeAll(target.file, [piece]), target, writing),
  );
  await writeThrough(target, writing, async () => {
    try {
      for await (const chunk of untilAborted(chunks, writing.signal)) await writer.add(chunk);
      await writer.end();
    } finally {
      await writer.idle();
    }
  });
  return { digest: writer.digest.digest('hex'), byteLength: writer.byteLength };
}

async function writeThrough(
  target: NewFile,
  writing: BlobWriting,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await write();
    writing.signal?.throwIfAborted();
    if (writing.durable) await asStoreError(sync(target.file), target, writing);
  } finally {
    await close(target.file);
  }
}

async function asStoreError(
  operation: Promise<void>,
  { path }: NewFile,
  { doing }: BlobWriting,
): Promise<void> {
  try {
    await operation;
  } catch (error) {
    throw storeError(doing, path, error);
  }
}

/** Digests while the system writes. Two pieces of memory of its own: one is filled while the other is written. */
class DigestingWriter {
  readonly digest: Hash = createHash('sha256');
  byteLength = 0;
  readonly #write: (piece: Uint8Array) => Promise<void>;
  #filling: Uint8Array | undefined;
  #spare: Uint8Array | undefined;
  #filled = 0;
  #writing: Promise<void> | undefined;

  constructor(write: (piece: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Afterwards the chunk is its owner's again. */
  async add(chunk: Uint8Array): Promise<void> {
    this.byteLength += chunk.byteLength;
    if (chunk.byteLength < LARGE_BYTES) return this.#gather(chunk);
    await this.#flush();
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      await this.#start(chunk.subarray(at, at + PIECE_BYTES));
    }
    await this.#writing;
  }

  /** Writes what is still gathered. */
  async end(): Promise<void> {
    await this.#flush();
    await this.#writing;
  }

  /** Resolves when nothing is being written, whatever became of it: then the file may be closed. */
  async idle(): Promise<void> {
    await Promise.allSettled([this.#writing]);
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
    await this.#writing;
    this.#writing = this.#write(piece);
    // It is awaited with the next piece; until then its failure is nobody's.
    void Promise.allSettled([this.#writing]);
    this.digest.update(piece);
  }
}
