import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { Encoded } from '../model/encoded.js';
import type { OfferedRoutine } from '../model/routine-definition.js';

/** What a background thread is started with. Plain data. */
export interface ThreadStart {
  /** URLs of the modules whose routines it offers. */
  readonly modules: readonly string[];
  /** Modules to import first, such as one that registers a loader. */
  readonly preload: readonly string[];
  readonly project: string;
  /**
   * One Int32: the number of the run whose body computes now, 0 when none does. Shared memory, because messages die with
   * the thread: when it ends the host reads here who brought it down.
   */
  readonly computing: SharedArrayBuffer;
}

/** A call on its way between host and guest; its arguments travel as the message's value. */
export interface CallMessage {
  readonly runId: string;
  readonly parentRunId: string | undefined;
  readonly rootRunId: string;
  readonly routineId: string;
  readonly attempt: number;
  readonly argumentsDigest: string | undefined;
  readonly queueTimeoutMs: number | undefined;
}

/** An outcome on its way; a value of `DONE` travels as the message's value. */
export type OutcomeMessage =
  | { readonly status: 'DONE'; readonly durationMs: number; readonly rememberedIn: string | undefined }
  | { readonly status: 'FAILED' | 'CANCELLED'; readonly error: PlainError };

/** host -> guest */
export type ToGuest =
  /** Run this. Answered by `starting`, then `settled`. */
  | { readonly kind: 'run'; readonly call: CallMessage; readonly number: number }
  /** Stop that run. Answered by its `settled`. */
  | { readonly kind: 'cancel'; readonly runId: string; readonly error: PlainError }
  /** The answer to a `request`. */
  | { readonly kind: 'answer'; readonly runId: string; readonly outcome: OutcomeMessage };

/** guest -> host */
export type ToHost =
  /** Modules are loaded; the first message unless `broken` comes. */
  | { readonly kind: 'ready'; readonly routines: readonly OfferedRoutine[] }
  /** A module could not be loaded; the thread ends. */
  | { readonly kind: 'broken'; readonly error: PlainError }
  | { readonly kind: 'starting'; readonly runId: string }
  | { readonly kind: 'hanging'; readonly runId: string; readonly waits: boolean }
  | {
      readonly kind: 'progress';
      readonly runId: string;
      readonly done: number;
      readonly total: number | undefined;
    }
  | { readonly kind: 'log'; readonly runId: string; readonly level: LogLevel; readonly message: string }
  /** A body called a routine. `runId` is the sub-run's. Answered by `answer`. */
  | { readonly kind: 'request'; readonly call: CallMessage }
  /** The caller of that sub-run does not wait for it any more. */
  | { readonly kind: 'withdraw'; readonly runId: string; readonly error: PlainError }
  | { readonly kind: 'settled'; readonly runId: string; readonly outcome: OutcomeMessage };

/** A message and the value that belongs to it. */
export interface Parcel<Message> {
  readonly message: Message;
  readonly value: Encoded | undefined;
}
