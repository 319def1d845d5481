import type { Labels } from './labels.js';
import type { ServiceWorkerStatus } from './statuses.js';

/** What the service knows of a worker. Plain data, a snapshot. @public */
export interface WorkerInfo {
  readonly name: string;
  readonly status: ServiceWorkerStatus;
  /** Runs that may compute there at once. */
  readonly slots: number;
  /** Runs it takes beyond its slots. */
  readonly inbox: number;
  /** `false`: it is only seen, and gets no runs. */
  readonly acceptsWork: boolean;
  readonly labels: Labels;
  /** Full ids of the routines that it offers; the first 1,000 where another node asks. */
  readonly routines: readonly string[];
  /** Runs it holds that compute, or wait to. */
  readonly running: number;
  /** Runs it holds that wait for sub-runs. */
  readonly hanging: number;
}

/** A routine that workers offer, or have offered. Plain data, a snapshot. @public */
export interface RoutineInfo {
  /** Full routine id. */
  readonly routineId: string;
  /** The id that the service gave it, `tdb:` or `wfdb:`. */
  readonly recordId: string;
  /** How many workers offer it now. */
  readonly workers: number;
}
