import type { ServiceWorkerStatus } from '../model/statuses.js';

/** What the matchmaker looks at in a worker. */
export interface Candidate {
  readonly status: ServiceWorkerStatus;
  readonly slots: number;
  readonly inbox: number;
  readonly runs: { readonly size: number };
  readonly hanging: number;
  readonly refusing: boolean;
  readonly meanMs: ReadonlyMap<string, number>;
  /** How long the runs that compute or wait to are expected to take together; see {@link expectedMs}. */
  readonly backlogMs: number;
}

/** Runs may be sent ahead of a free slot for as much time as they are expected to take together, in milliseconds. */
const AHEAD_MS = 2;

/** How long a run is expected to take on a worker. A routine that it has not run yet may be a long one. */
export function expectedMs(worker: Pick<Candidate, 'meanMs'>, routineId: string): number {
  return Math.min(worker.meanMs.get(routineId) ?? AHEAD_MS, AHEAD_MS);
}

/**
 * Whether a worker takes one more run. Up to its slots always; beyond them only while all that it holds, this run
 * included, is expected to be over within {@link AHEAD_MS} a slot: where runs are much shorter than a message takes to
 * travel the worker then never waits for the next, and no run ever waits behind a long one.
 */
export function takes(worker: Candidate, routineId: string): boolean {
  const computing = worker.runs.size - worker.hanging;
  if (computing < worker.slots) return true;
  if (computing >= worker.slots + worker.inbox) return false;
  return worker.backlogMs + expectedMs(worker, routineId) <= AHEAD_MS * worker.slots;
}

/**
 * Chooses the worker of a run among those that offer its routine: the least loaded one that can take it. Pure; of
 * equals the first wins, so the answer depends on the order of the candidates alone.
 */
export function match<Worker extends Candidate>(
  candidates: readonly Worker[],
  routineId: string,
): Worker | undefined {
  let best: Worker | undefined;
  let bestLoad = Number.POSITIVE_INFINITY;
  for (const worker of candidates) {
    if (worker.refusing || !isAlive(worker.status) || !takes(worker, routineId)) continue;
    const load = (worker.runs.size - worker.hanging) / worker.slots;
    if (load < bestLoad) {
      best = worker;
      bestLoad = load;
    }
  }
  return best;
}

function isAlive(status: ServiceWorkerStatus): boolean {
  return status === 'IDLE' || status === 'WORKING' || status === 'HANGING';
}
