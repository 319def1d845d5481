import type { Labels } from './labels.js';
import type { NamedRoutineId, RoutineKind } from './routine-id.js';
import type { OfferedTrigger, TriggerRule } from './trigger.js';

/** How results of a task are looked up and kept. @public */
export interface CacheOptions {
  /** Milliseconds after which a result will not do any more: it is computed again and replaced. Default: never. */
  readonly ttlMs?: number;
  /**
   * Paths of arguments, or of parts of them, that do not count when results are looked up, such as `args[1].logger`. Only
   * what has no influence on the result.
   */
  readonly ignore?: readonly string[];
  /** Gives what counts in place of the arguments when results are looked up. With it, `ignore` is not looked at. */
  readonly key?: (...args: never[]) => unknown;
  /**
   * Share of hits, 0 to 1, that are computed again and compared with what was kept, to find tasks that are not pure. A
   * difference shows as the event `run.impure`. Default 0.
   */
  readonly verify?: number;
}

/** When a run that failed is run again, and how long that waits. @public */
export interface RetryOptions {
  /** How often it is run again at most, after its first attempt: a whole number from 0 to 100,000. */
  readonly attempts: number;
  /** Milliseconds before the first of these; each further one waits `factor` times as long. Default 1,000. */
  readonly backoffMs?: number;
  /** At least 1. Default 2. */
  readonly factor?: number;
  /** The longest wait, in milliseconds. Default 60,000. */
  readonly maxBackoffMs?: number;
  /**
   * `full`: the wait is by chance between 0 and what the backoff gives, so that many that failed together do not come back
   * together. `none`: exactly that. Default `full`.
   */
  readonly jitter?: 'full' | 'none';
  /** Codes or names of errors that are final, such as `QUOTA` or `TypeError`. */
  readonly nonRetryable?: readonly string[];
  /**
   * Decides for every other error, in the process and thread of the caller. When it throws, the call fails with that.
   * Default: what a body threw is worth another attempt; of the errors of this project those are that say so by `retryable`.
   */
  readonly retryIf?: (error: Error) => boolean;
}

/** Options of a routine; those of one call (`routine.with({ ... })`) come on top. @public */
export interface RoutineOptions {
  /**
   * Tasks only: `false` neither looks a result up nor keeps it; `refresh` computes anew and replaces what is kept; an object
   * says more. Those of a call come on top of the definition's, one by one. Default `true`.
   */
  readonly cache?: boolean | 'refresh' | CacheOptions;
  /**
   * How often a run that failed is run again: a number, or more; those of a call come on top of the definition's, one by one.
   * It stays one run with one run id, whose attempts count. A run that was cancelled, took longer than `timeoutMs` or waited
   * longer than `queueTimeoutMs` is not run again, whatever is said here. Default 0.
   */
  readonly retries?: number | RetryOptions;
  /**
   * Milliseconds from the call to its end, all attempts, queues and waits between included; then it is cancelled and fails
   * with `RUN_TIMEOUT`. Default: no limit.
   */
  readonly timeoutMs?: number;
  /**
   * Milliseconds that one attempt may take, from the beginning of its body to its end; then its body and its sub-runs are
   * cancelled, and the attempt fails with `ATTEMPT_TIMEOUT`, which `retries` run again. Default: no limit.
   */
  readonly attemptTimeoutMs?: number;
  /**
   * Milliseconds a run may wait for a worker, each time that it does; then it fails with `QUEUE_TIMEOUT`. Default: no limit,
   * the waiting shows in the events.
   */
  readonly queueTimeoutMs?: number;
  /**
   * Tasks only: milliseconds, from the beginning of its body, after which a run that still computes is executed a second time
   * on another worker that has a slot free; the first of the two that ends counts, the other is cancelled. A run that is not
   * sent to a worker does not look at it. Default: never.
   */
  readonly speculateAfterMs?: number;
  /**
   * Which runs get a worker first when not all can: a whole number from -100 to 100, higher first. Default: that of the run
   * that calls; 0 for a call outside any run.
   */
  readonly priority?: number;
  /**
   * Labels that a worker must have, all of them with just these values, to be given the run. A run
   * that is not sent to a worker does not look at them. Those of a call take the place of the definition's. Default: none.
   */
  readonly labels?: Labels;
}

/** Options that only a definition has, since they are about its parameters. @public */
export interface DefinitionOptions extends RoutineOptions {
  /**
   * `true`: a `Ref` in the arguments arrives as a `Ref`, such as in a workflow that only hands it on. Default: the value it
   * stands for takes its place.
   */
  readonly keepRefs?: boolean;
}

/** Options of one call. @public */
export interface CallOptions extends RoutineOptions {
  /**
   * Cancels the run and everything it called; the call then rejects with `RUN_CANCELLED`. A run may also be shared by
   * equal calls: it goes on while another caller waits.
   */
  readonly signal?: AbortSignal;
  /**
   * For `submit` only: `true` has the run outlive who submits it. Inside a run it does not end with that run. With a service it is
   * always sent to a worker, and goes on when this process is gone: the service keeps how it ended for an hour, and any node
   * may ask for that by the id of the run (`lifecycle.runs.get`). Default `false`.
   */
  readonly detached?: boolean;
}

/** A routine as it was defined in this process. Plain data beside its body. @public */
export interface RoutineDefinition {
  readonly kind: RoutineKind;
  /** As given to `define`: the project is missing unless it was given. */
  readonly id: NamedRoutineId;
  readonly body: (...args: never[]) => unknown;
  readonly options: DefinitionOptions;
  /** Hash of its source, 64 lower-case hex digits. Results of a `-dev` version are kept apart by it. */
  readonly sourceHash?: string | undefined;
  /** Where it was defined, for messages: `file:line:column`, when the stack tells. */
  readonly definedAt?: string | undefined;
  /** Present when it is the handler of a trigger: the runs that it answers. */
  readonly trigger?: TriggerRule | undefined;
}

/** A routine that a worker offers. @public */
export interface OfferedRoutine {
  /** Full routine id. */
  readonly routineId: string;
  readonly sourceHash?: string | undefined;
  /** Present when it is the handler of a trigger. */
  readonly trigger?: OfferedTrigger | undefined;
}
