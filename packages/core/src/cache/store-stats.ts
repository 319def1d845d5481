import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';
import type { StoreAmount } from './collect-garbage.js';

/** The results of one routine. @public */
export interface RoutineStats {
  /** Full id. */
  readonly routineId: string;
  readonly results: number;
  /** Of results and the blobs that they name; a blob counts for every result that names it. */
  readonly byteLength: number;
}

/** What is in a store. @public */
export interface StoreStats extends StoreAmount {
  readonly pinned: number;
  /** The largest first. */
  readonly routines: readonly RoutineStats[];
}

/**
 * Counts what is in a store, without reading it. Holds in memory what it gives and nothing else.
 * @throws the reason of the signal; what the store throws.
 * @public
 */
export async function storeStats(store: ResultStore, { signal }: StoreCallOptions = {}): Promise<StoreStats> {
  const amount = { results: 0, resultBytes: 0, blobs: 0, blobBytes: 0, pinned: 0 };
  const routines = new Map<string, { routineId: string; results: number; byteLength: number }>();
  for await (const { metadata, byteLength, pinned } of store.list()) {
    signal?.throwIfAborted();
    const { routineId, blobs = [] } = metadata;
    amount.results += 1;
    amount.resultBytes += byteLength;
    if (pinned) amount.pinned += 1;
    const stats = routines.get(routineId) ?? { routineId, results: 0, byteLength: 0 };
    routines.set(routineId, stats);
    stats.results += 1;
    stats.byteLength += blobs.reduce((sum, blob) => sum + blob.byteLength, byteLength);
  }
  for await (const { byteLength } of store.blobs?.list() ?? []) {
    signal?.throwIfAborted();
    amount.blobs += 1;
    amount.blobBytes += byteLength;
  }
  const largestFirst = [...routines.values()].sort((a, b) => b.byteLength - a.byteLength);
  return { ...amount, routines: largestFirst };
}
