import type { Encoded } from './encoded.js';
import type { Labels } from './labels.js';

/** How the result of a remembered call is looked up and kept. Plain data. @public */
export interface RememberControl {
  /** Computes anew, and replaces what is kept. */
  readonly refresh?: boolean | undefined;
  /** A result that was computed longer ago, in milliseconds, will not do, and is replaced. */
  readonly maxAgeMs?: number | undefined;
  /** Share of hits, 0 to 1, that are computed again and compared. */
  readonly verifyRate?: number | undefined;
  /** See {@link ResultMetadata.outline}; present once the result is about to be computed. */
  readonly outline?: readonly string[] | undefined;
}

/** When a failed run is run again; see {@link RetryOptions}. Plain data. @public */
export interface RetryControl {
  readonly attempts: number;
  readonly backoffMs: number;
  readonly factor: number;
  readonly maxBackoffMs: number;
  readonly jitter: 'full' | 'none';
  readonly nonRetryable?: readonly string[] | undefined;
  /** The caller has a function that decides, and is to be asked. */
  readonly asks?: boolean | undefined;
}

/** One execution of a routine, asked for: plain data beside its encoded arguments. @public */
export interface EncodedCall {
  /** UUIDv7, made by whoever requests, so that a request may be repeated safely. */
  readonly runId: string;
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  /** How many runs are above it, at most `LIMITS.callDepth`. Absent for a root. */
  readonly depth?: number | undefined;
  /**
   * Run ids of those runs above it, and of it itself, that were submitted, outermost first: a body that waits for one of
   * them would wait for ever. Absent: none.
   */
  readonly submitted?: readonly string[] | undefined;
  /** Full routine id. */
  readonly routineId: string;
  /** Starts with 1; grows when the run is run again, or is placed elsewhere. */
  readonly attempt: number;
  readonly arguments: Encoded;
  /** Canonical digest of the arguments; present for a task whose result is to be remembered. */
  readonly argumentsDigest?: string | undefined;
  /** Present only beside `argumentsDigest`, and where something differs from the default. */
  readonly remember?: RememberControl | undefined;
  /**
   * `reference`: the result is to be kept, and only named. `both`: the value, which is kept and named if a store can.
   * Default: the value.
   */
  readonly answer?: 'reference' | 'both' | undefined;
  /** Milliseconds the run may wait for a worker. */
  readonly queueTimeoutMs?: number | undefined;
  /** Milliseconds from the beginning of its body to its end. */
  readonly attemptTimeoutMs?: number | undefined;
  /** Milliseconds from the beginning of its body after which the service may have it executed a second time as well. */
  readonly speculateAfterMs?: number | undefined;
  /** Heeded by the engine that requests the run. Absent: it is run once. */
  readonly retry?: RetryControl | undefined;
  /** -100 to 100, higher first. Absent for 0. */
  readonly priority?: number | undefined;
  /** Labels that its worker must have. */
  readonly labels?: Labels | undefined;
  /** Keys of the serializers that reading the arguments takes. Absent: none. */
  readonly serializers?: readonly string[] | undefined;
  /** It was submitted, and outlives who requests it as long as there is a service. Absent: it does not. */
  readonly detached?: boolean | undefined;
  /** The run whose end a trigger answers with this one. */
  readonly triggeredBy?: string | undefined;
  /** How many triggers, one after the other, led to this run. Absent: none. */
  readonly triggerDepth?: number | undefined;
}
