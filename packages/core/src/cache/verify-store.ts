import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoreEvent } from '../events/engine-event.js';
import type { StoredResult } from '../model/result.js';
import type { BlobEntry, BlobStore } from '../ports/blob-store.js';
import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';
import { inParallel } from './in-parallel.js';

/** What {@link verifyStore} found. @public */
export interface VerifyReport {
  readonly results: {
    readonly whole: number;
    /** Put aside by the store as they were listed or read. */
    readonly damaged: number;
    /** They named a blob that is not there, and were deleted. */
    readonly incomplete: number;
  };
  readonly blobs: {
    readonly whole: number;
    /** Put aside by the store as they were listed or read. */
    readonly damaged: number;
  };
  /** Bytes of everything that is whole. */
  readonly byteLength: number;
}

const READ_AT_ONCE = 4;

/**
 * Reads everything that a store has. What is damaged is put aside by the store, and results without their blobs are deleted,
 * so that they are computed anew. What others put or delete meanwhile may or may not be seen. Holds a few
 * results in memory, and of blobs a chunk.
 * @throws the reason of the signal; what the store throws.
 * @public
 */
export async function verifyStore(store: ResultStore, options: StoreCallOptions = {}): Promise<VerifyReport> {
  const check = new StoreCheck(store, options);
  // First, so that results find out which blobs are left.
  const blobs = await check.blobs();
  const results = await check.results();
  return { results, blobs, byteLength: check.byteLength };
}

/** One reading of a store. What is damaged is told by the store, also when it is not even listed. */
class StoreCheck {
  byteLength = 0;
  readonly #store: ResultStore;
  readonly #options: StoreCallOptions;

  constructor(store: ResultStore, options: StoreCallOptions) {
    this.#store = store;
    this.#options = options;
  }

  async blobs(): Promise<VerifyReport['blobs']> {
    const { blobs } = this.#store;
    let whole = 0;
    if (!blobs) return { whole, damaged: 0 };
    const damaged = await this.#each(blobs.list(), async (entry, found) => {
      if (await this.#readBlob(blobs, entry, found)) whole += 1;
    });
    return { whole, damaged };
  }

  async results(): Promise<VerifyReport['results']> {
    let whole = 0;
    let incomplete = 0;
    const damaged = await this.#each(this.#store.list(), async ({ key, byteLength }, found) => {
      const result = await this.#store.get(key, this.#options);
      // Else it was damaged, or somebody has deleted it.
      if (!result) return;
      // Another tier had it, or a writer has put it anew.
      found.delete(key);
      if (!(await this.#hasBlobs(result, found))) {
        if (await this.#store.delete(key)) incomplete += 1;
        return;
      }
      if (!result.body.parts) await readThrough(result.body.chunks());
      whole += 1;
      this.byteLength += byteLength;
    });
    return { whole, damaged, incomplete };
  }

  /** @param read - may say that something is damaged, or is not. @returns how many are damaged. */
  async #each<T>(
    items: AsyncIterable<T>,
    read: (item: T, damaged: Set<string>) => Promise<void>,
  ): Promise<number> {
    const damaged = new Set<string>();
    const hearing = this.#store.events$.subscribe((event: StoreEvent) => {
      if (event.type === 'store.corrupt') damaged.add(event.key);
    });
    try {
      await inParallel(items, READ_AT_ONCE, this.#options.signal, (item) => read(item, damaged));
    } finally {
      hearing.unsubscribe();
    }
    return damaged.size;
  }

  /** @returns whether it is whole. */
  async #readBlob(
    blobs: BlobStore,
    { digest, byteLength }: BlobEntry,
    damaged: Set<string>,
  ): Promise<boolean> {
    try {
      const blob = await blobs.get(digest, this.#options);
      if (!blob) return false;
      await readThrough(blob.chunks(this.#options));
    } catch (error) {
      if (!isOfContent(error)) throw error;
      if (error.code === 'CONTENT_CORRUPT') damaged.add(digest);
      return false;
    }
    damaged.delete(digest);
    this.byteLength += byteLength;
    return true;
  }

  async #hasBlobs({ metadata }: StoredResult, damaged: Set<string>): Promise<boolean> {
    for (const { digest } of metadata.blobs ?? []) {
      if (await this.#store.blobs?.get(digest, this.#options)) continue;
      // That is no result.
      damaged.delete(digest);
      return false;
    }
    return true;
  }
}

async function readThrough(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) void chunk;
}

function isOfContent(error: unknown): error is RoutineEngineError {
  if (!(error instanceof RoutineEngineError)) return false;
  return error.code === 'CONTENT_CORRUPT' || error.code === 'CONTENT_MISSING';
}
