import type { Stats } from 'node:fs';
import {
  assertBlobDigest,
  type BlobEntry,
  type BlobStore,
  type KeptBlob,
  RoutineEngineError,
  type StoreCallOptions,
  type StoredBlob,
  unlessAborted,
  untilAborted,
  Gate,
} from '@routine-engine/core/adapter';
import { isCode, lstat, storeError } from './file-access.js';
import { Damage } from './file-format.js';
import { BlobMarks } from './blob-marks.js';
import { BlobReader } from './read-blob.js';
import { type StorePlace, unlessMissing } from './store-place.js';
import { digestOfBytes, writeBlob } from './write-blob.js';

/** Blobs in memory written at once. Those that come in chunks are not counted: one could wait for another. */
const WRITES_AT_ONCE = 8;
/** Bytes up to this length are digested before they are written: that takes less than to write for nothing. */
const SMALL_BYTES = 256 * 1024;
/** Other operations at once. */
const LOOKS_AT_ONCE = 32;

/** The blobs of an `FsStore`: one file a blob, named by its digest, with its bytes and nothing else. */
export class FsBlobs implements BlobStore {
  readonly #place: StorePlace;
  readonly #writes = new Gate(WRITES_AT_ONCE);
  readonly #looks = new Gate(LOOKS_AT_ONCE);
  readonly #streams = new Gate(Infinity);
  /** Blobs that are being written from memory; resolve to whether they were kept. */
  readonly #flights = new Map<string, Promise<boolean>>();
  readonly #marks = new BlobMarks();
  readonly #readers = new Set<BlobReader>();

  constructor(place: StorePlace) {
    this.#place = place;
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreCallOptions & { readonly digest?: string } = {},
  ): Promise<KeptBlob> {
    this.#place.refuseClosed();
    const { digest, signal } = options;
    if (digest !== undefined) assertBlobDigest(digest);
    signal?.throwIfAborted();
    const kept =
      source instanceof Uint8Array
        ? this.#writes.run(() => this.#putBytes(source, digest, signal))
        : this.#streams.run(() => this.#putChunks(source, digest, signal));
    return unlessAborted(kept, signal);
  }

  async get(digest: string, options?: StoreCallOptions): Promise<StoredBlob | undefined> {
    this.#admit(digest);
    options?.signal?.throwIfAborted();
    const found = this.#looks.run(() => this.#find(`look for the blob ${digest}`, digest));
    return unlessAborted(found, options?.signal);
  }

  async delete(digest: string): Promise<boolean> {
    this.#admit(digest);
    const path = this.#place.layout.blobPathOf(digest);
    return this.#looks.run(() => this.#place.remove(`delete the blob ${digest}`, digest, path));
  }

  async *list(): AsyncGenerator<BlobEntry> {
    const { layout } = this.#place;
    for (const shard of layout.shardsIn(layout.blobs, await this.#namesIn(layout.blobs))) {
      const digests = (await this.#namesIn(shard)).filter((name) => layout.isDigestIn(shard, name));
      for (let at = 0; at < digests.length; at += LOOKS_AT_ONCE) {
        this.#place.refuseClosed();
        const some = digests.slice(at, at + LOOKS_AT_ONCE).map((digest) => this.#entry(digest));
        for (const entry of await Promise.all(some)) if (entry) yield entry;
      }
    }
  }

  /** Waits for what is under way, but not for readers: they are ended, since one may never ask for its next chunk. */
  async close(): Promise<void> {
    const idle = [this.#writes, this.#looks, this.#streams].map((gate) => gate.idle());
    await Promise.all([...idle, ...Array.from(this.#readers, (reader) => reader.close())]);
  }

  async #putBytes(
    bytes: Uint8Array,
    known: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob> {
    const digest = known ?? (await this.#digestIfKept(bytes, signal));
    // Digested while it is written: results are mostly new.
    if (digest === undefined) return this.#write(bytes, undefined, signal);
    for (let flying = this.#flights.get(digest); flying; flying = this.#flights.get(digest)) {
      if (await flying) return this.#kept(digest, bytes.byteLength, 'present');
      signal?.throwIfAborted();
    }
    const writing = this.#keepBytes(digest, bytes, signal);
    const flight = writing.then(
      () => true,
      () => false,
    );
    this.#flights.set(digest, flight);
    // Here, not when `writing` has settled: whoever waits for the flight must find it gone.
    void flight.then(() => this.#flights.delete(digest));
    return this.#kept(digest, bytes.byteLength, await writing);
  }

  /** Their digest, unless they are large and were never put here: then they are hardly there. */
  async #digestIfKept(bytes: Uint8Array, signal: AbortSignal | undefined): Promise<string | undefined> {
    const isLikely = bytes.byteLength <= SMALL_BYTES || this.#marks.seenBefore(bytes);
    return isLikely ? digestOfBytes(bytes, signal) : undefined;
  }

  async #keepBytes(
    digest: string,
    bytes: Uint8Array,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob['outcome']> {
    const doing = `keep the blob ${digest}`;
    const path = this.#place.layout.blobPathOf(digest);
    const there =
      (await this.#place.isThere(doing, digest, path, bytes.byteLength)) &&
      (await this.#place.renew(doing, path));
    if (!there) return (await this.#write(bytes, digest, signal)).outcome;
    // Who put it may not have come to this yet, and it counts as kept from now on.
    await this.#place.syncNames(doing, path);
    return 'present';
  }

  async #putChunks(
    chunks: AsyncIterable<Uint8Array>,
    known: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob> {
    const doing = known === undefined ? 'keep a blob' : `keep the blob ${known}`;
    const present = known === undefined ? undefined : await this.#find(doing, known);
    const there = present && this.#place.layout.blobPathOf(present.digest);
    if (there && (await this.#place.renew(doing, there))) {
      await this.#place.syncNames(doing, there);
      return { blob: present, outcome: 'present' };
    }
    return this.#write(chunks, known, signal);
  }

  async #write(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    known: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob> {
    const doing = known === undefined ? 'keep a blob' : `keep the blob ${known}`;
    let digest = '';
    let byteLength = 0;
    const outcome = await this.#place.keep(doing, signal, async (file) => {
      const writing = { doing, durable: this.#place.fsync, signal };
      ({ digest, byteLength } = await writeBlob(file, source, writing));
      if (known !== undefined && digest !== known) {
        const message = `The bytes given for the blob ${known} have the digest ${digest}`;
        throw new RoutineEngineError('CONTENT_CORRUPT', message);
      }
      const path = this.#place.layout.blobPathOf(digest);
      // By the clock by which others tell how old it is.
      await this.#place.renew(doing, file.path);
      // What stands in its place, and is none, is put aside.
      await this.#place.isThere(doing, digest, path, byteLength);
      return path;
    });
    // Also for one that was present: see above.
    await this.#place.syncNames(doing, this.#place.layout.blobPathOf(digest));
    return this.#kept(digest, byteLength, outcome);
  }

  #kept(digest: string, byteLength: number, outcome: KeptBlob['outcome']): KeptBlob {
    return { blob: this.#blobOf(digest, byteLength), outcome };
  }

  #blobOf(digest: string, byteLength: number): StoredBlob {
    return {
      digest,
      byteLength,
      chunks: (options) => untilAborted(this.#chunksOf(digest, byteLength), options?.signal),
      readInto: async (target, options) => {
        if (target.byteLength !== byteLength) throw corrupt(digest, notAsLong(byteLength, target));
        const pieces = untilAborted(this.#chunksOf(digest, byteLength, target), options?.signal);
        for await (const piece of pieces) void piece;
      },
    };
  }

  /** @param target - memory for all of it, of which the chunks are views then. */
  async *#chunksOf(digest: string, byteLength: number, target?: Uint8Array): AsyncGenerator<Uint8Array> {
    const path = this.#place.layout.blobPathOf(digest);
    let reader: BlobReader | undefined;
    try {
      this.#place.refuseClosed();
      reader = await BlobReader.open(path, target);
      this.#readers.add(reader);
      yield* this.#verified(reader, digest, byteLength);
    } catch (error) {
      if (error instanceof Damage) {
        const ino = reader && { ino: reader.ino };
        await this.#place.putAside(digest, path, { damage: error.message, ...ino });
        throw corrupt(digest, `at ${path} ${error.message}`, error);
      }
      if (isCode(error, 'ENOENT')) {
        const message = `The blob ${digest} is no longer at ${path}`;
        throw new RoutineEngineError('CONTENT_MISSING', message, { cause: error });
      }
      throw error instanceof RoutineEngineError ? error : storeError(`read the blob ${digest}`, path, error);
    } finally {
      await reader?.close();
      if (reader) this.#readers.delete(reader);
    }
  }

  /** The pieces; the last is given only when all of them are what the digest says. */
  async *#verified(reader: BlobReader, digest: string, byteLength: number): AsyncGenerator<Uint8Array> {
    // A file of another length than was seen before may still be the blob, put there anew.
    const agrees = reader.byteLength === byteLength;
    let piece: Uint8Array | undefined;
    for (;;) {
      this.#place.refuseClosed();
      piece = await reader.next();
      if (reader.ended) break;
      if (agrees && piece) yield piece;
    }
    if (reader.digest() !== digest) throw new Damage('has bytes that were changed');
    if (!agrees) throw corrupt(digest, `had ${byteLength} bytes when it was looked up`);
    if (piece) yield piece;
  }

  async #find(doing: string, digest: string): Promise<StoredBlob | undefined> {
    const stat = await this.#stat(doing, digest);
    return stat && this.#blobOf(digest, stat.size);
  }

  /** Of the file under a digest. What is no file is put aside. */
  async #stat(doing: string, digest: string): Promise<Stats | undefined> {
    const path = this.#place.layout.blobPathOf(digest);
    const stat = await unlessMissing(doing, path, lstat(path));
    if (!stat || stat.isFile()) return stat;
    await this.#place.putAside(digest, path, { damage: 'is not a file', ino: stat.ino });
    return undefined;
  }

  /** Nothing when it has gone since, or is no file: then it is put aside. */
  async #entry(digest: string): Promise<BlobEntry | undefined> {
    const stat = await this.#looks.run(() => this.#stat('list the blobs', digest));
    return stat && { digest, byteLength: stat.size, putAt: stat.mtimeMs };
  }

  #namesIn(directory: string): Promise<string[]> {
    this.#place.refuseClosed();
    return this.#looks.run(() => this.#place.namesIn(directory));
  }

  #admit(digest: string): void {
    this.#place.refuseClosed();
    assertBlobDigest(digest);
  }
}

function notAsLong(byteLength: number, target: Uint8Array): string {
  return `of ${byteLength} bytes is to be read into memory of ${target.byteLength}`;
}

function corrupt(digest: string, what: string, cause?: unknown): RoutineEngineError {
  return new RoutineEngineError('CONTENT_CORRUPT', `The blob ${digest} ${what}`, { cause });
}
