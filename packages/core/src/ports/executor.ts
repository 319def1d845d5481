import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import type { ReferenceData } from '../model/reference.js';
import type { RunStatus } from '../model/statuses.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { CancelSignal } from './cancel-signal.js';

/** Whoever requests a run, as far as it is asked or told about it meanwhile. @public */
export interface Requester {
  /**
   * Whether a run that failed is to be run again. Asked only of calls whose {@link EncodedCall.retry} says so.
   * @throws what the caller's own function throws.
   */
  readonly mayRetry?: ((error: PlainError) => Promise<boolean>) | undefined;
  /** Hears what the run does, up to its end. */
  readonly status?: ((status: RunStatus) => void) | undefined;
  /** Hears once that a detached run goes on without its requester from now on. */
  readonly accepted?: (() => void) | undefined;
}

/** What a run that is being executed may ask of the engine, and tell it. @public */
export interface RunHost {
  /** Cancelled when the run is to stop. */
  readonly cancel: CancelSignal;
  /**
   * Whether the outcome may come while long parts of its value are still being copied: they are among its `blobs` then, and
   * have no digest yet. Absent: all of the value is there with the outcome.
   */
  readonly takesArriving?: boolean | undefined;
  /**
   * Whether the outcome may come with an {@link UnfinishedNode} in place of its node, since the host has large parts of the value
   * hashed anyway. Absent: a node is whole.
   */
  readonly finishesNode?: boolean | undefined;
  /** Has a sub-routine run, wherever the engine decides. Never rejects: failure is an outcome. */
  request(call: EncodedCall, cancel: CancelSignal, requester?: Requester): Promise<Outcome>;
  /**
   * The result that a reference stands for, everything but its streams in memory. Others may hold the same bytes: decode a
   * copy.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE`, `CONTENT_MISSING` or `CONTENT_CORRUPT`.
   */
  fetch(reference: ReferenceData): Promise<Encoded>;
  /**
   * Puts a stream of the result where it may be read any number of times. A short one comes back in memory.
   * @throws what the stream throws, and why it could not be kept.
   */
  spool(chunks: AsyncIterable<Uint8Array>): Promise<StoredBlob | Uint8Array>;
  /** The body begins to run. */
  starting(): void;
  /** The body waits for sub-runs (`true`) or none is outstanding any more (`false`). */
  hanging(waits: boolean): void;
  progress(done: number, total: number | undefined): void;
  log(level: LogLevel, message: string): void;
}

/** Runs the body of one routine: in the calling thread, or on a background thread. @public */
export interface Executor {
  /**
   * Runs a routine that is defined where the executor runs it. Never rejects: failure is an outcome. Settles
   * also when the thread that ran it ended.
   */
  execute(call: EncodedCall, host: RunHost): Promise<Outcome>;
  /** Ends what it holds, running bodies included; their outcomes are `CANCELLED`. */
  close(): Promise<void>;
}
