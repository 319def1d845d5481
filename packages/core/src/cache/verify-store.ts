import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoreEvent } from '../events/engine-event.js';
import type { ResultKey } from '../model/result.js';
import type { BlobEntry } from '../ports/blob-store.js';
import type { ResultEntry, ResultStore, StoreCallOptions } from '../ports/result-store.js';
import { inParallel } from './in-parallel.js';

/** What {@link verifyStore} found. @public */
export interface VerifyReport {
  readonly results: {
    readonly whole: number;
    /** Put aside by the store as they were read. */
    readonly damaged: number;
    /** They named a blob that is not there, and were deleted. */
    readonly incomplete: number;
  };
  readonly blobs: {
    readonly whole: number;
    /** Put aside by the store as they were read. */
    readonly damaged: number;
  };
  /** Bytes of everything that is whole. */
  readonly byteLength: number;
}

type Mutable<T> = { -readonly [Part in keyof T]: T[Part] extends object ? Mutable<T[Part]> : T[Part] };

const READ_AT_ONCE = 4;

/**
 * Reads everything that a store has. What is damaged is put aside by the store, and results without their blobs are deleted,
 * so that they are computed anew. What others put or delete meanwhile may or may not be seen. Holds a few
 * results in memory, and of blobs a chunk.
 * @throws the reason of the signal; what the store throws.
 * @public
 */
export async function verifyStore(store: ResultStore, options: StoreCallOptions = {}): Promise<VerifyReport> {
  const report: Mutable<VerifyReport> = {
    results: { whole: 0, damaged: 0, incomplete: 0 },
    blobs: { whole: 0, damaged: 0 },
    byteLength: 0,
  };
  const corrupt = new Set<ResultKey>();
  const hearing = store.events$.subscribe((event: StoreEvent) => {
    if (event.type === 'store.corrupt') corrupt.add(event.key);
  });
  try {
    // First, so that results find out which blobs are left.
    if (store.blobs)
      await inParallel(store.blobs.list(), READ_AT_ONCE, options.signal, (entry) =>
        verifyBlob(store, entry, options, report),
      );
    await inParallel(store.list(), READ_AT_ONCE, options.signal, (entry) =>
      verifyResult(store, entry, options, report, corrupt),
    );
  } finally {
    hearing.unsubscribe();
  }
  return report;
}

async function verifyBlob(
  store: ResultStore,
  { digest, byteLength }: BlobEntry,
  options: StoreCallOptions,
  report: Mutable<VerifyReport>,
): Promise<void> {
  try {
    const blob = await store.blobs?.get(digest, options);
    if (!blob) return;
    await readThrough(blob.chunks(options));
    report.blobs.whole += 1;
    report.byteLength += byteLength;
  } catch (error) {
    if (!isOfContent(error)) throw error;
    if (error.code === 'CONTENT_CORRUPT') report.blobs.damaged += 1;
  }
}

async function verifyResult(
  store: ResultStore,
  { key, byteLength }: ResultEntry,
  options: StoreCallOptions,
  report: Mutable<VerifyReport>,
  corrupt: Set<ResultKey>,
): Promise<void> {
  const found = await store.get(key, options);
  if (!found) {
    // Else somebody has deleted it.
    if (corrupt.delete(key)) report.results.damaged += 1;
    return;
  }
  for (const { digest } of found.metadata.blobs ?? []) {
    if (await store.blobs?.get(digest, options)) continue;
    if (await store.delete(key)) report.results.incomplete += 1;
    return;
  }
  if (!found.body.parts) await readThrough(found.body.chunks());
  report.results.whole += 1;
  report.byteLength += byteLength;
}

async function readThrough(chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) void chunk;
}

function isOfContent(error: unknown): error is RoutineEngineError {
  if (!(error instanceof RoutineEngineError)) return false;
  return error.code === 'CONTENT_CORRUPT' || error.code === 'CONTENT_MISSING';
}
