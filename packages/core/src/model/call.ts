import type { Encoded } from './encoded.js';

/** One execution of a routine, asked for: plain data beside its encoded arguments. @public */
export interface EncodedCall {
  /** UUIDv7, made by whoever requests, so that a request may be repeated safely. */
  readonly runId: string;
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  /** Full routine id. */
  readonly routineId: string;
  /** Starts with 1; grows when the run is placed elsewhere. */
  readonly attempt: number;
  readonly arguments: Encoded;
  /** Canonical digest of the arguments; present for a task whose result is to be remembered. */
  readonly argumentsDigest?: string | undefined;
  /** `reference`: the result is to be kept, and only named. Default: the value. */
  readonly answer?: 'reference' | undefined;
  /** Milliseconds the run may wait for a worker. */
  readonly queueTimeoutMs?: number | undefined;
}
