import { createHash } from 'node:crypto';
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { RoutineEngineError } from '../../errors/routine-engine-error.js';
import { LIMITS } from '../../model/limits.js';
import type { StoredBlob } from '../../model/stored-blob.js';
import { untilAborted } from '../../model/until-aborted.js';
import { whenAborted } from '../../model/when-aborted.js';
import type { Spool } from '../../ports/blob-store.js';
import type { StoreCallOptions } from '../../ports/result-store.js';

/** How much is read at a time; smaller chunks are gathered up to it before they are written. */
const PIECE_BYTES = LIMITS.chunkBytes;

/** An open file that has no name any more, or whose name goes when it is closed. */
interface SpoolFile {
  readonly handle: FileHandle;
  /** Closes it once nothing is being read from it. A second call does nothing. */
  readonly release: () => Promise<void>;
  released: boolean;
}

/** Closes the file of a blob that nobody holds any more. Of the module: it has to outlive a spool that nobody closed. */
const abandoned = new FinalizationRegistry<SpoolFile>((file) => void file.release());

/**
 * Keeps bytes in temporary files, which only this user may read. Each is removed from its directory as soon as it is open,
 * where the platform allows it, so that nothing of it outlasts the process.
 */
export class TempSpool implements Spool {
  readonly #dir: string;
  readonly #files = new Set<SpoolFile>();
  /** What is being put, with what ends it. */
  readonly #puts = new Map<Promise<unknown>, AbortController>();
  #closed: Promise<void> | undefined;

  /** @param options - `dir` is where the files are; default the system's directory for temporary files. */
  constructor(options: { readonly dir?: string } = {}) {
    this.#dir = options.dir ?? os.tmpdir();
  }

  async put(source: AsyncIterable<Uint8Array>, options?: StoreCallOptions): Promise<StoredBlob> {
    if (this.#closed) throw closedError();
    const controller = new AbortController();
    const signal = options?.signal;
    signal?.throwIfAborted();
    const settled = signal && whenAborted(signal, () => controller.abort(signal.reason));
    const put = this.#put(source, controller.signal);
    this.#puts.set(put, controller);
    try {
      return await put;
    } finally {
      this.#puts.delete(put);
      settled?.();
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    for (const controller of this.#puts.values()) controller.abort(closedError());
    await Promise.allSettled(this.#puts.keys());
    await Promise.all(Array.from(this.#files, (file) => file.release()));
  }

  async #put(source: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<StoredBlob> {
    const file = await this.#newFile();
    try {
      const writer = new SpoolWriter((bytes) => this.#explained(file.handle.appendFile(bytes)));
      for await (const chunk of untilAborted(source, signal)) await writer.add(chunk);
      const digest = await writer.end();
      signal.throwIfAborted();
      const blob = new SpooledBlob(file, digest, writer.byteLength, this.#dir);
      abandoned.register(blob, file);
      return blob;
    } catch (error) {
      await file.release();
      throw error;
    }
  }

  async #newFile(): Promise<SpoolFile> {
    const directory = await this.#explained(mkdtemp(path.join(this.#dir, 'routine-engine-')));
    const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
    try {
      const handle = await this.#explained(open(path.join(directory, 'stream'), 'wx+', 0o600));
      // Where an open file cannot be removed, it goes when it is closed.
      const [removed] = await Promise.allSettled([remove()]);
      let released: Promise<void> | undefined;
      const release = async (): Promise<void> => {
        file.released = true;
        this.#files.delete(file);
        await Promise.allSettled([handle.close()]);
        if (removed.status === 'rejected') await Promise.allSettled([remove()]);
      };
      const file: SpoolFile = { handle, released: false, release: () => (released ??= release()) };
      this.#files.add(file);
      return file;
    } catch (error) {
      await Promise.allSettled([remove()]);
      throw error;
    }
  }

  async #explained<T>(operation: Promise<T>): Promise<T> {
    try {
      return await operation;
    } catch (error) {
      throw spoolError('write a stream to', this.#dir, error);
    }
  }
}

/** Writes chunks one after the other and digests them. */
class SpoolWriter {
  byteLength = 0;
  readonly #write: (bytes: Uint8Array) => Promise<void>;
  readonly #digest = createHash('sha256');
  #gathered: Uint8Array | undefined;
  #filled = 0;

  constructor(write: (bytes: Uint8Array) => Promise<void>) {
    this.#write = write;
  }

  /** Afterwards the chunk is its owner's again. */
  async add(chunk: Uint8Array): Promise<void> {
    this.byteLength += chunk.byteLength;
    if (this.#filled + chunk.byteLength > PIECE_BYTES) await this.#flush();
    if (chunk.byteLength < PIECE_BYTES) {
      this.#gathered ??= Buffer.allocUnsafeSlow(PIECE_BYTES);
      this.#gathered.set(chunk, this.#filled);
      this.#filled += chunk.byteLength;
      return;
    }
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      await this.#digestAndWrite(chunk.subarray(at, at + PIECE_BYTES));
    }
  }

  /** Writes what is left. @returns SHA-256 of everything, as hex digits. */
  async end(): Promise<string> {
    await this.#flush();
    return this.#digest.digest('hex');
  }

  async #flush(): Promise<void> {
    if (!this.#gathered || this.#filled === 0) return;
    await this.#digestAndWrite(this.#gathered.subarray(0, this.#filled));
    this.#filled = 0;
  }

  async #digestAndWrite(piece: Uint8Array): Promise<void> {
    const writing = this.#write(piece);
    // While the system writes.
    this.#digest.update(piece);
    await writing;
  }
}

/** Whoever reads it holds it: so its file is never closed under a reader because nobody seems to need it. */
class SpooledBlob implements StoredBlob {
  readonly digest: string;
  readonly byteLength: number;
  readonly #file: SpoolFile;
  readonly #dir: string;

  constructor(file: SpoolFile, digest: string, byteLength: number, dir: string) {
    this.#file = file;
    this.digest = digest;
    this.byteLength = byteLength;
    this.#dir = dir;
  }

  chunks(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array> {
    return untilAborted(this.#chunks(), options?.signal);
  }

  async *#chunks(): AsyncGenerator<Uint8Array> {
    if (this.#file.released) throw this.#missing();
    const digest = createHash('sha256');
    const memory = Buffer.allocUnsafeSlow(Math.min(PIECE_BYTES, this.byteLength));
    for (let at = 0; at < this.byteLength;) {
      const piece = await this.#read(memory.subarray(0, this.byteLength - at), at);
      if (piece.byteLength === 0) throw this.#corrupt();
      at += piece.byteLength;
      digest.update(piece);
      if (at === this.byteLength && digest.digest('hex') !== this.digest) throw this.#corrupt();
      yield piece;
    }
  }

  async #read(into: Uint8Array, position: number): Promise<Uint8Array> {
    if (this.#file.released) throw this.#missing();
    try {
      const { bytesRead } = await this.#file.handle.read(into, 0, into.byteLength, position);
      return into.subarray(0, bytesRead);
    } catch (error) {
      throw this.#file.released ? this.#missing() : spoolError('read a stream from', this.#dir, error);
    }
  }

  #missing(): RoutineEngineError {
    return new RoutineEngineError(
      'CONTENT_MISSING',
      `The stream of ${this.byteLength} bytes is no longer kept: what kept it was shut down`,
    );
  }

  #corrupt(): RoutineEngineError {
    return new RoutineEngineError(
      'CONTENT_CORRUPT',
      `The stream of ${this.byteLength} bytes that was kept in ${this.#dir} was changed there`,
    );
  }
}

function closedError(): RoutineEngineError {
  return new RoutineEngineError('STORE_CLOSED', 'What keeps streams is closed; it keeps nothing any more');
}

function spoolError(doing: string, dir: string, cause: unknown): RoutineEngineError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  const isFull = code === 'ENOSPC' || code === 'EDQUOT';
  const advice = isFull ? 'make room there' : 'look at the directory for temporary files';
  return new RoutineEngineError(
    isFull ? 'STORE_FULL' : 'STORE_UNREACHABLE',
    `Cannot ${doing} ${dir} (${code}); ${advice}`,
    { cause },
  );
}
