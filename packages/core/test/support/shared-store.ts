import { createHash } from 'node:crypto';
import { MemoryStore } from '../../src/cache/memory-store.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { StoredBlob } from '../../src/model/stored-blob.js';
import type { BlobEntry, BlobStore, KeptBlob, Spool } from '../../src/ports/blob-store.js';
import type { Clock } from '../../src/ports/clock.js';
import type { ResultStore } from '../../src/ports/result-store.js';

/** Blobs in memory, as several nodes share them. */
export class SharedBlobs implements BlobStore, Pick<Spool, 'close'> {
  readonly kept = new Map<string, Uint8Array>();
  /** Thrown by `put`, while set. */
  refusal: Error | undefined;
  /** How often the bytes of a blob were read. */
  reads = 0;

  async put(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<KeptBlob> {
    if (this.refusal) throw this.refusal;
    const bytes = source instanceof Uint8Array ? Uint8Array.from(source) : await joined(source);
    const digest = createHash('sha256').update(bytes).digest('hex');
    const outcome = this.kept.has(digest) ? 'present' : 'stored';
    this.kept.set(digest, bytes);
    return { blob: this.#blob(digest, bytes), outcome };
  }

  async get(digest: string): Promise<StoredBlob | undefined> {
    const bytes = this.kept.get(digest);
    return bytes && this.#blob(digest, bytes);
  }

  async delete(digest: string): Promise<boolean> {
    return this.kept.delete(digest);
  }

  async *list(): AsyncIterable<BlobEntry> {
    for (const [digest, { byteLength }] of this.kept) yield { digest, byteLength, putAt: 0 };
  }

  async close(): Promise<void> {
    this.kept.clear();
  }

  #blob(digest: string, bytes: Uint8Array): StoredBlob {
    const { kept } = this;
    const read = (): void => void (this.reads += 1);
    return {
      digest,
      byteLength: bytes.byteLength,
      async *chunks() {
        read();
        if (!kept.has(digest)) throw new RoutineEngineError('CONTENT_MISSING', `${digest} is gone`);
        for (let at = 0; at < bytes.byteLength; at += 65_536) yield bytes.slice(at, at + 65_536);
      },
    };
  }
}

/** A store that several nodes share, with blobs; what else it keeps it keeps as the in-memory store does. */
export function sharedStore(
  id: string,
  clock: Clock,
): ResultStore & { readonly blobs: SharedBlobs; readonly identity: string } {
  const results = new MemoryStore({ id, clock, node: 'test' });
  return {
    name: 'shared',
    identity: `shared:${id}`,
    capabilities: { durable: true, shared: true },
    blobs: new SharedBlobs(),
    events$: results.events$,
    get: (key, options) => results.get(key, options),
    put: (key, result, options) => results.put(key, result, options),
    pin: (key, pinned) => results.pin(key, pinned),
    has: (key) => results.has(key),
    delete: (key) => results.delete(key),
    list: () => results.list(),
    close: () => results.close(),
  };
}

/** A spool in memory. */
export function memorySpool(): Spool {
  const blobs = new SharedBlobs();
  return {
    put: async (source) => (await blobs.put(source)).blob,
    close: () => blobs.close(),
  };
}

async function joined(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const read: Uint8Array[] = [];
  for await (const chunk of chunks) read.push(Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(read));
}
