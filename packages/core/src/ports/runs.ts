import type { Observable } from 'rxjs';
import type { RoutineInfo, WorkerInfo } from '../model/cluster-info.js';
import type { RunFilter, RunInfo } from '../model/run-info.js';
import type { RunStatus } from '../model/statuses.js';

/** A run that goes on by itself, whether or not anybody waits for it. @public */
export interface RunHandle<Result> {
  /** UUIDv7. */
  readonly runId: string;
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  /** What the run is doing, as far as this process knows; of a run elsewhere, `RUNNING` also while it hangs. */
  readonly status: RunStatus;
  /** Current status first, then each change. Completes with the run; of a run of another node it is what it was when asked. */
  readonly status$: Observable<RunStatus>;
  /**
   * Waits for the end of the run. Asked again, it gives the same. A run that waits here is HANGING, as with any call.
   * @throws what calling the routine throws; {@link RoutineEngineError} `RECURSIVE_CALL` when the run that waits is this one,
   *   or was called by it; `RUN_NOT_SUBMITTED` when it was called, or another node requested it without `detached`: then its value
   *   belongs to its caller. Of a detached run also `RESULT_NOT_KEPT`, `RUN_UNKNOWN`.
   */
  result(): Promise<Result>;
  /**
   * Resolves when a detached run goes on without this process, since the service has it; for any other run at once. To close the
   * lifecycle waits for that, too.
   * @throws what `result()` throws, when the service never had it.
   */
  accepted(): Promise<void>;
  /** Cancels the run and everything it called; `result()` then rejects with `RUN_CANCELLED`. Does nothing once it is over. */
  cancel(reason?: unknown): void;
}

/**
 * Runs by their ids: those of this process that are in hand, and for a while those that were submitted and are over. With a
 * service also the runs that other nodes requested of it, as long as they are in hand, and detached ones for a while after their
 * end; every node may see and cancel them, and ask for the results of detached ones.
 * @public
 */
export interface Runs {
  /**
   * @returns `undefined` when no such run is known (any more).
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`, as all of these, when the service can't be asked.
   */
  get(runId: string): Promise<RunHandle<unknown> | undefined>;
  /** Those that fit, oldest first. @throws {@link RoutineEngineError} `OPTION_INVALID`, `ROUTINE_ID_INVALID`. */
  list(filter?: RunFilter): Promise<readonly RunInfo[]>;
  /**
   * Cancels a run and everything it called, wherever they run.
   * @returns whether it was in hand.
   */
  cancel(runId: string, reason?: unknown): Promise<boolean>;
  /** The workers that are connected to the service, at most 1,000; none without one. */
  workers(): Promise<readonly WorkerInfo[]>;
  /** The routines that workers of the service offer, at most 1,000; none without one. */
  routines(): Promise<readonly RoutineInfo[]>;
}
