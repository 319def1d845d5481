/** What a run is doing. @public */
export type RunStatus = 'PENDING' | 'RUNNING' | 'HANGING' | 'DONE' | 'FAILED' | 'CANCELLED';

/** What a worker is doing, as the worker itself knows it. @public */
export type WorkerStatus =
  /** Loading routine modules, or not yet welcomed by the service. */
  | 'INITIALIZING'
  /** Has no run. */
  | 'IDLE'
  /** At least one run is computing. */
  | 'WORKING'
  /** It has runs, and each of them waits for sub-runs elsewhere. */
  | 'HANGING'
  /** Takes no more runs; ends when those it has are over. */
  | 'TERMINATING';

/** Every one of them. */
export const WORKER_STATUSES: readonly WorkerStatus[] = [
  ...(['INITIALIZING', 'IDLE', 'WORKING'] as const),
  ...(['HANGING', 'TERMINATING'] as const),
];

/** What the service says of a worker. @public */
export type ServiceWorkerStatus =
  | WorkerStatus
  /** Its pulse is overdue: no new runs until it answers. */
  | 'UNRESPONSIVE'
  /** Its connection is gone, or its lease ended. */
  | 'CLOSED';

/** How many runs a worker holds, and how many of those wait for sub-runs. @public */
export interface RunCounts {
  readonly running: number;
  readonly hanging: number;
}

/** The status of a worker that is initialized and does not terminate. */
export function statusOfCounts(counts: RunCounts): WorkerStatus {
  if (counts.running > 0) return 'WORKING';
  return counts.hanging > 0 ? 'HANGING' : 'IDLE';
}

/**
 * How a run ended that gave no value. One that took too long is ended as if it was cancelled, but nobody wanted it to: it failed.
 * @param code - of its error.
 */
export function statusWithoutValue(cancelled: boolean, code: unknown): 'FAILED' | 'CANCELLED' {
  return cancelled && code !== 'RUN_TIMEOUT' ? 'CANCELLED' : 'FAILED';
}
