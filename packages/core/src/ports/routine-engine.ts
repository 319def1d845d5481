import type { Observable } from 'rxjs';
import type { EngineEvent } from '../events/engine-event.js';
import type { CallOptions, RoutineDefinition } from '../model/routine-definition.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import type { ReferenceData } from '../model/reference.js';
import type { RoutineId } from '../model/routine-id.js';
import type { RunStatus, WorkerStatus } from '../model/statuses.js';
import type { CancelSignal } from './cancel-signal.js';
import type { RunHandle, Runs } from './runs.js';

/** One call of a routine with the caller's own values. @public */
export interface RoutineCall {
  readonly id: RoutineId;
  /** The routine, when it is defined in this process. */
  readonly definition: RoutineDefinition | undefined;
  readonly args: readonly unknown[];
  readonly options: CallOptions | undefined;
  /** `reference`: the result is kept where it is, and the call gives a `Ref` to it. Default: its value. */
  readonly answer?: 'reference' | undefined;
  /** Cancels the run as a signal among its options does. */
  readonly cancel?: CancelSignal | undefined;
  /** Present when a trigger makes the call. */
  readonly triggered?: TriggeredRun | undefined;
}

/** What a run that a trigger starts is known by. @public */
export interface TriggeredRun {
  /** Derived from the run that ended and from the trigger, so that the same answer is the same run. */
  readonly runId: string;
  /** The run that ended. */
  readonly triggeredBy: string;
  /** 1 for a trigger of a run that no trigger led to. */
  readonly triggerDepth: number;
}

/** A run in hand. @public */
export interface CurrentRun {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId?: string;
  readonly status: RunStatus;
  /** Run ids of the sub-runs it waits for. */
  readonly waitsFor: readonly string[];
}

/** Runs or delegates routine calls. @public */
export interface RoutineEngine {
  /** Short name for logs and errors, such as `local`. */
  readonly name: string;
  /**
   * Runs a routine to its end. Settles exactly once.
   * @returns a value of the caller's own: changing it changes nothing that is kept.
   * @throws what the routine threw; {@link RoutineEngineError} for everything else.
   */
  run(call: RoutineCall): Promise<unknown>;
  /**
   * Starts a run without waiting for it. Inside a run it is a sub-run, and ends with that. A rejection that nobody handles
   * does no harm.
   * @throws at once what `run` rejects with before the run begins, such as `VALUE_NOT_ENCODABLE`.
   */
  submit(call: RoutineCall): RunHandle<unknown>;
  /** Runs by their ids. */
  readonly runs: Runs;
  /**
   * The value of a kept result, as the caller's own.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE`, `CONTENT_MISSING`, `CONTENT_CORRUPT`; what the store throws.
   */
  resolve(reference: ReferenceData): Promise<unknown>;
  /**
   * The bytes of a kept result that is nothing but bytes, or a stream of them. Each chunk is the reader's own.
   * @throws {@link RoutineEngineError} `REFERENCE_NOT_BINARY`, and what {@link RoutineEngine.resolve} throws.
   */
  open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>>;
  /** Whether a call would be answered from the store, and if not, why. Runs nothing. @throws what the store throws. */
  explain(call: RoutineCall): Promise<Explanation>;
  /**
   * Where a kept result comes from.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE` for the result of another store; what the store throws.
   */
  provenance(reference: ReferenceData): Promise<Provenance>;
  /** Current status first, then each change. Completes at shutdown. */
  readonly status$: Observable<WorkerStatus>;
  /** What this engine tells. Hot; never errors; completes at shutdown. */
  readonly events$: Observable<EngineEvent>;
  /** Runs in hand, and what each waits for. A snapshot. */
  readonly current: readonly CurrentRun[];
  /**
   * Takes no more calls, cancels those in hand, and resolves when all of them have settled; a body in the calling thread
   * that takes no notice of its signal may outlive that. Called again, it resolves at the same time.
   */
  shutdown(): Promise<void>;
}
