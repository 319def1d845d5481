import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { matchesRoutineId, parseRoutineId, type RoutineId } from '../model/routine-id.js';
import type { Clock } from '../ports/clock.js';
import type { ResultStore, SweptAmount } from '../ports/result-store.js';
import { inParallel } from './in-parallel.js';
import { ResultIndex } from './result-index.js';

/** What {@link collectGarbage} is to leave. Without any bound only blobs go that no result names. @public */
export interface GarbageOptions {
  /** Most bytes of results and the blobs they name, each blob counted once, in bytes. */
  readonly maxBytes?: number;
  readonly maxItems?: number;
  /** Longest time since a result was computed, in milliseconds. */
  readonly maxAgeMs?: number;
  /**
   * Only results of these routines go, and only they count: full ids, or patterns such as `tname:train`, whose missing parts
   * match all. Default: all.
   */
  readonly routines?: readonly string[];
  /** Says what would go, and deletes nothing. */
  readonly dryRun?: boolean;
  /** Ends it; it rejects with the signal's reason. What has gone by then has gone: the next one goes on from there. */
  readonly signal?: AbortSignal;
  /** Blobs stay for so long after they were put, since their result may be on its way. In milliseconds; default one hour. */
  readonly blobGraceMs?: number;
}

/** How much is in a store, or a part of it. @public */
export interface StoreAmount {
  readonly results: number;
  /** Without their blobs. */
  readonly resultBytes: number;
  readonly blobs: number;
  readonly blobBytes: number;
}

/** What {@link collectGarbage} did. @public */
export interface GarbageReport {
  /** What has gone, or would with `dryRun`. */
  readonly removed: StoreAmount;
  /** What was left, as far as it was there when it began. */
  readonly kept: StoreAmount;
  /** What the store itself swept: what writers that died had left. */
  readonly swept: SweptAmount;
}

type Amount = { -readonly [Part in keyof StoreAmount]: StoreAmount[Part] };

const BLOB_GRACE_MS = 60 * 60 * 1000;
const DELETES_AT_ONCE = 16;

/**
 * Deletes results, the oldest first, until the bounds hold, then the blobs that no result names any more, and has the store
 * sweep up what writers that died have left, see {@link ResultStore.sweep}. What is pinned
 * stays, and its blobs. Others may put and get meanwhile: a result that loses a blob so is a miss. A result that is pinned or
 * computed anew after its turn to be listed may go all the same.
 *
 * Holds about 60 bytes in memory for each result, and 200 for each blob that results name.
 * @param clock - tells the time, in milliseconds since 1970 (UTC).
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, `ROUTINE_ID_INVALID`; the reason of the signal; what the store throws.
 * @public
 */
export async function collectGarbage(
  store: ResultStore,
  options: GarbageOptions,
  clock: Pick<Clock, 'now'>,
): Promise<GarbageReport> {
  assertBounds(options);
  const { blobGraceMs = BLOB_GRACE_MS, dryRun = false, signal } = options;
  const began = clock.now();
  const report = { removed: nothing(), kept: nothing() };
  const found = await weigh(store, options, report.kept);
  const { leaving, named } = choose(found, options, began, report.kept);
  // From the end, which is the oldest: when it is ended in between, the newer ones are there.
  await inParallel(leaving.reverse(), DELETES_AT_ONCE, signal, async (result) => {
    if (!dryRun && !(await store.delete(found.index.keyOf(result)))) return;
    report.removed.results += 1;
    report.removed.resultBytes += found.index.byteLengthOf(result);
  });
  const stays = (digest: string): boolean => {
    const blob = found.index.blobNumber(digest);
    return blob !== undefined && named.has(blob);
  };
  await collectBlobs(store, { stays, before: began - blobGraceMs, dryRun, signal }, report);
  const swept = await store.sweep?.({ dryRun, ...(signal && { signal }) });
  return { ...report, swept: swept ?? { items: 0, byteLength: 0 } };
}

/** Results that may go, and blobs that stay in any case. */
interface Found {
  readonly index: ResultIndex;
  /** Numbers of blobs that results name which can't go. */
  readonly named: Set<number>;
}

async function weigh(store: ResultStore, options: GarbageOptions, kept: Amount): Promise<Found> {
  const patterns = options.routines?.map(parseRoutineId);
  const index = new ResultIndex();
  const named = new Set<number>();
  for await (const entry of store.list()) {
    options.signal?.throwIfAborted();
    const mayGo = !patterns || isOneOf(entry.metadata.routineId, patterns);
    if (mayGo) index.add(entry);
    else {
      kept.results += 1;
      kept.resultBytes += entry.byteLength;
      for (const blob of entry.metadata.blobs ?? []) named.add(index.nameBlob(blob));
    }
  }
  return { index, named };
}

/** Divides results into those that fit in, the newest first, and those that leave, the newest first. */
function choose(
  { index, named }: Found,
  options: GarbageOptions,
  now: number,
  kept: Amount,
): { readonly leaving: Uint32Array; readonly named: ReadonlySet<number> } {
  const { maxBytes = Infinity, maxItems = Infinity, maxAgeMs = Infinity } = options;
  const counted = new Set<number>();
  let bytes = 0;
  let items = 0;
  const count = (result: number): void => {
    items += 1;
    bytes += index.byteLengthOf(result);
    for (const blob of index.blobsOf(result)) {
      if (!counted.has(blob)) bytes += index.blobBytesOf(blob);
      counted.add(blob);
    }
  };
  const keep = (result: number): void => {
    kept.results += 1;
    kept.resultBytes += index.byteLengthOf(result);
    for (const blob of index.blobsOf(result)) named.add(blob);
  };
  const order = index.newestFirst();
  for (const result of order) {
    if (!index.isPinned(result)) continue;
    count(result);
    keep(result);
  }
  // The oldest go first: with the first that no longer fits leaves everything older.
  let isFull = false;
  const leaving = order.filter((result) => {
    if (index.isPinned(result)) return false;
    if (!isFull) count(result);
    isFull ||= bytes > maxBytes || items > maxItems || now - index.createdAtOf(result) > maxAgeMs;
    if (!isFull) keep(result);
    return isFull;
  });
  return { leaving, named };
}

interface BlobRule {
  readonly stays: (digest: string) => boolean;
  /** Those that were put before may go, in milliseconds since 1970. */
  readonly before: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal | undefined;
}

async function collectBlobs(
  { blobs }: ResultStore,
  { stays, before, dryRun, signal }: BlobRule,
  { removed, kept }: { readonly removed: Amount; readonly kept: Amount },
): Promise<void> {
  if (!blobs) return;
  await inParallel(blobs.list(), DELETES_AT_ONCE, signal, async ({ digest, byteLength, putAt }) => {
    const goes = putAt < before && !stays(digest);
    if (goes && !dryRun && !(await blobs.delete(digest))) return;
    const amount = goes ? removed : kept;
    amount.blobs += 1;
    amount.blobBytes += byteLength;
  });
}

function isOneOf(routineId: string, patterns: readonly RoutineId[]): boolean {
  try {
    const id = parseRoutineId(routineId);
    return patterns.some((pattern) => matchesRoutineId(pattern, id));
  } catch (error) {
    // Others may have kept anything under any name: it is not theirs that are meant.
    if (error instanceof RoutineEngineError) return false;
    throw error;
  }
}

function nothing(): Amount {
  return { results: 0, resultBytes: 0, blobs: 0, blobBytes: 0 };
}

function assertBounds({ maxBytes, maxItems, maxAgeMs, blobGraceMs }: GarbageOptions): void {
  for (const [name, value] of Object.entries({ maxBytes, maxItems, maxAgeMs, blobGraceMs })) {
    if (value === undefined || value >= 0) continue;
    throw new RoutineEngineError('OPTION_INVALID', `${name} is a number from 0 on, not ${String(value)}`);
  }
}
