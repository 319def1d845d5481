import type { ServiceWorkerStatus } from '../model/statuses.js';
import type { WorkerEntry } from './worker-entry.js';
import type { WorkerPool } from './worker-pool.js';

/** What the matchmaker looks at in a worker. */
export type Candidate = Pick<
  WorkerEntry,
  'status' | 'refusing' | 'slots' | 'inbox' | 'computing' | 'meanMs' | 'backlogMs'
>;

/** Runs may be sent ahead of a free slot for as much time as they are expected to take together, in milliseconds. */
const AHEAD_MS = 2;

/** A share of the slots. */
const CLOSE_ENOUGH = 0.5;

/** How long a run is expected to take on a worker. A routine that it has not run yet may be a long one. */
export function expectedMs(worker: Pick<Candidate, 'meanMs'>, routineId: string): number {
  return Math.min(worker.meanMs.get(routineId) ?? AHEAD_MS, AHEAD_MS);
}

export function hasInboxRoom({
  computing,
  slots,
  inbox,
}: Pick<Candidate, 'computing' | 'slots' | 'inbox'>): boolean {
  return computing < slots + inbox;
}

/** Whether a worker may be given runs at all. */
export function isAlive(status: ServiceWorkerStatus): boolean {
  return status === 'IDLE' || status === 'WORKING' || status === 'HANGING';
}

/**
 * Whether a worker takes one more run. Up to its slots always; beyond them only while all that it holds, this run
 * included, is expected to be over within {@link AHEAD_MS} a slot: where runs are much shorter than a message takes to
 * travel the worker then never waits for the next, and no run ever waits behind a long one.
 */
export function takes(worker: Candidate, routineId: string): boolean {
  if (worker.refusing || !isAlive(worker.status)) return false;
  if (worker.computing < worker.slots) return true;
  if (!hasInboxRoom(worker)) return false;
  return worker.backlogMs + expectedMs(worker, routineId) <= AHEAD_MS * worker.slots;
}

/**
 * Chooses the worker of a run among those that can run it: the least loaded one with a free slot; else, if that takes it
 * ahead, the one that is expected to be free first. Looks at one worker of each pool, however many there are.
 */
export function match(pools: readonly WorkerPool[], routineId: string): WorkerEntry | undefined {
  return best(pools, 'free') ?? takenAhead(best(pools, 'ahead'), routineId);
}

/**
 * Chooses the worker with a free slot that has most bytes of a run's inputs at hand, unless it has half of its slots more
 * taken than the freest one: to spare a transfer is worth a little, but nothing to wait for.
 * @param holders - workers, and how many bytes each may have.
 */
export function matchNear(
  pools: readonly WorkerPool[],
  holders: ReadonlyMap<WorkerEntry, number>,
): WorkerEntry | undefined {
  const freest = best(pools, 'free');
  if (!freest) return undefined;
  const mostLoad = freest.computing / freest.slots + CLOSE_ENOUGH;
  let near: WorkerEntry | undefined;
  let nearBytes = 0;
  for (const [worker, bytes] of holders) {
    if (bytes < nearBytes || worker.computing / worker.slots > mostLoad) continue;
    if (!hasFreeSlot(worker, pools)) continue;
    if (near && bytes === nearBytes && !isLessLoaded(worker, near)) continue;
    near = worker;
    nearBytes = bytes;
  }
  return near;
}

/** Chooses the least loaded worker with a free slot, other than one. Where two lead their pools, either will do. */
export function matchOther(pools: readonly WorkerPool[], other: WorkerEntry): WorkerEntry | undefined {
  let found: WorkerEntry | undefined;
  for (const { free } of pools) {
    // The second in order is one of the two below the first.
    for (const { worker } of free.items.slice(0, 3))
      if (worker !== other && (!found || isLessLoaded(worker, found))) found = worker;
  }
  return found;
}

/** Whether a worker is in some of the pools, and has a free slot. */
function hasFreeSlot({ memberships }: WorkerEntry, pools: readonly WorkerPool[]): boolean {
  return memberships.some(({ pool, heap }) => heap === pool.free && pools.includes(pool));
}

function takenAhead(worker: WorkerEntry | undefined, routineId: string): WorkerEntry | undefined {
  return worker && takes(worker, routineId) ? worker : undefined;
}

function best(pools: readonly WorkerPool[], heap: 'free' | 'ahead'): WorkerEntry | undefined {
  const precedes = heap === 'free' ? isLessLoaded : isFreeSooner;
  let found: WorkerEntry | undefined;
  for (const pool of pools) {
    const worker = pool[heap].top?.worker;
    if (worker && (!found || precedes(worker, found))) found = worker;
  }
  return found;
}

/** Whether a worker has more of its slots free. */
export function isLessLoaded(a: WorkerEntry, b: WorkerEntry): boolean {
  return comesFirst(a.computing / a.slots, b.computing / b.slots, a, b);
}

/** Whether what a worker holds is expected to be over sooner. */
export function isFreeSooner(a: WorkerEntry, b: WorkerEntry): boolean {
  return comesFirst(a.backlogMs / a.slots, b.backlogMs / b.slots, a, b);
}

/** Of equals the one that came first, so that the answer depends on nothing else. */
function comesFirst(measure: number, other: number, a: WorkerEntry, b: WorkerEntry): boolean {
  return measure === other ? a.number < b.number : measure < other;
}
