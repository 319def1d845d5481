import type { Labels } from '../model/labels.js';
import type { ServiceWorkerStatus } from '../model/statuses.js';
import type { WorkerEntry } from './worker-entry.js';

/** A worker as the service sees it. Plain data. @public */
export interface WorkerInfo {
  readonly name: string;
  readonly status: ServiceWorkerStatus;
  /** Runs that may compute at once. */
  readonly slots: number;
  /** `false`: it is only seen, and gets no runs. */
  readonly acceptsWork: boolean;
  readonly labels: Labels;
  /** Full ids of the routines that it offers. */
  readonly routines: readonly string[];
  /** Runs that it holds and that compute, or wait to. */
  readonly running: number;
  /** Runs that it holds and that wait for sub-runs. */
  readonly hanging: number;
}

export function workerInfo(worker: WorkerEntry): WorkerInfo {
  const { node, status, slots, acceptsWork, labels = {}, routines, computing, hanging } = worker;
  return {
    ...{ name: node.name, status, slots, acceptsWork, labels, hanging },
    routines: [...routines.keys()],
    running: computing,
  };
}
