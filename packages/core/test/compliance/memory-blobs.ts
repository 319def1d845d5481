import { createHash } from 'node:crypto';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import { assertBlobDigest, type StoredBlob } from '../../src/model/stored-blob.ts';
import { untilAborted } from '../../src/model/until-aborted.ts';
import type { BlobEntry, BlobStore, KeptBlob } from '../../src/ports/blob-store.ts';

type PutOptions = Parameters<BlobStore['put']>[1];
const CHUNK_BYTES = 1000;

/** Blobs in memory that keep every promise: what the kit is judged with. */
export class MemoryBlobs implements BlobStore {
  readonly #kept = new Map<string, Uint8Array>();
  readonly #putAt = new Map<string, number>();
  readonly #clock: { now(): number };
  readonly #puts = new Set<Promise<unknown>>();
  #closed = false;

  constructor(clock: { now(): number } = { now: () => 0 }) {
    this.#clock = clock;
  }

  async put(source: Uint8Array | AsyncIterable<Uint8Array>, options?: PutOptions): Promise<KeptBlob> {
    this.#admit(options?.digest);
    options?.signal?.throwIfAborted();
    const put = this.#put(source, options);
    this.#puts.add(put);
    try {
      return await put;
    } finally {
      this.#puts.delete(put);
    }
  }

  async get(digest: string, options?: PutOptions): Promise<StoredBlob | undefined> {
    this.#admit(digest);
    options?.signal?.throwIfAborted();
    const bytes = this.#kept.get(digest);
    return bytes && this.#blobOf(digest, bytes.byteLength);
  }

  async delete(digest: string): Promise<boolean> {
    this.#admit(digest);
    return this.#kept.delete(digest);
  }

  async *list(): AsyncGenerator<BlobEntry> {
    this.#admit(undefined);
    for (const [digest, { byteLength }] of [...this.#kept])
      yield { digest, byteLength, putAt: this.#putAt.get(digest) ?? 0 };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#puts);
  }

  /** Changes a byte of what is kept. */
  async damage(digest: string): Promise<void> {
    const bytes = this.#kept.get(digest);
    if (bytes) bytes[bytes.byteLength >> 1]! ^= 1;
  }

  /** Makes it look as if a blob had been put then. */
  setPutAt(digest: string, putAt: number): void {
    this.#putAt.set(digest, putAt);
  }

  async #put(source: Uint8Array | AsyncIterable<Uint8Array>, options: PutOptions): Promise<KeptBlob> {
    const known = options?.digest;
    const present = known === undefined ? undefined : this.#kept.get(known);
    if (known !== undefined && present) {
      this.#putAt.set(known, this.#clock.now());
      return { blob: this.#blobOf(known, present.byteLength), outcome: 'present' };
    }
    const bytes = source instanceof Uint8Array ? new Uint8Array(source) : await gathered(source, options);
    const digest = digestOf(bytes);
    const outcome = this.#kept.has(digest) ? 'present' : 'stored';
    if (outcome === 'stored') this.#kept.set(digest, bytes);
    this.#putAt.set(digest, this.#clock.now());
    return { blob: this.#blobOf(digest, bytes.byteLength), outcome };
  }

  #blobOf(digest: string, byteLength: number): StoredBlob {
    return {
      digest,
      byteLength,
      chunks: (options) => untilAborted(this.#chunksOf(digest), options?.signal),
    };
  }

  async *#chunksOf(digest: string): AsyncGenerator<Uint8Array> {
    const bytes = this.#kept.get(digest);
    if (!bytes) throw new RoutineEngineError('CONTENT_MISSING', `There is no blob ${digest}`);
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) yield bytes.slice(at, at + CHUNK_BYTES);
    if (digestOf(bytes) === digest) return;
    this.#kept.delete(digest);
    throw new RoutineEngineError('CONTENT_CORRUPT', `The blob ${digest} was changed`);
  }

  #admit(digest: string | undefined): void {
    if (this.#closed) throw new RoutineEngineError('STORE_CLOSED', 'The blobs are closed');
    if (digest !== undefined) assertBlobDigest(digest);
  }
}

async function gathered(source: AsyncIterable<Uint8Array>, options: PutOptions): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of untilAborted(source, options?.signal)) chunks.push(new Uint8Array(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
