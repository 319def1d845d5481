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
}

/** Runs may be sent ahead of a free slot for as much time as they are expected to take together, in milliseconds. */
const AHEAD_MS = 2;

/**
 * How many runs of a routine a worker may hold that compute or wait to. Its slots, and, where runs are much shorter
 * than a message takes to travel, as many more as fill {@link AHEAD_MS}: the worker then never waits for the next.
 */
export function capacity(worker: Candidate, routineId: string): number {
  const meanMs = worker.meanMs.get(routineId);
  if (meanMs === undefined) return worker.slots;
  const ahead = Math.floor(AHEAD_MS / Math.max(meanMs, AHEAD_MS / 1_000));
  return worker.slots + Math.min(ahead, worker.inbox);
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
    if (worker.refusing || !takesRuns(worker.status)) continue;
    const computing = worker.runs.size - worker.hanging;
    if (computing >= capacity(worker, routineId)) continue;
    const load = computing / worker.slots;
    if (load < bestLoad) {
      best = worker;
      bestLoad = load;
    }
  }
  return best;
}

function takesRuns(status: ServiceWorkerStatus): boolean {
  return status === 'IDLE' || status === 'WORKING' || status === 'HANGING';
}
