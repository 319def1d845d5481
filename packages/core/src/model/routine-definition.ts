import type { NamedRoutineId, RoutineKind } from './routine-id.js';

/** Options of a routine; those of one call (`routine.with({ ... })`) come on top. @public */
export interface RoutineOptions {
  /** Tasks only: `false` neither looks a result up nor keeps it. Default `true`. */
  readonly cache?: boolean;
  /** Milliseconds from the call to its end; then it is cancelled and fails with `RUN_TIMEOUT`. Default: no limit. */
  readonly timeoutMs?: number;
  /**
   * Milliseconds a run may wait for a worker; then it fails with `QUEUE_TIMEOUT`. Default: no limit, the waiting
   * shows in the events.
   */
  readonly queueTimeoutMs?: number;
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
}

/** A routine as it was defined in this process. Plain data beside its body. @public */
export interface RoutineDefinition {
  readonly kind: RoutineKind;
  /** As given to `define`: the project is missing unless it was given. */
  readonly id: NamedRoutineId;
  readonly body: (...args: never[]) => unknown;
  readonly options: DefinitionOptions;
  /** Hash of the source of a `-dev` version, 64 lower-case hex digits; its results are kept apart by it. */
  readonly sourceHash?: string | undefined;
  /** Where it was defined, for messages: `file:line:column`, when the stack tells. */
  readonly definedAt?: string | undefined;
}

/** A routine that a worker offers. @public */
export interface OfferedRoutine {
  /** Full routine id. */
  readonly routineId: string;
  readonly sourceHash?: string | undefined;
}
