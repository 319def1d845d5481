import { AsyncLocalStorage } from 'node:async_hooks';
import { cut } from '../errors/error-conversion.js';
import { inspectValue } from '../errors/inspect-value.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { RoutineKind } from '../model/routine-id.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineEngine } from '../ports/routine-engine.js';

/** What answers a routine call made by user code, and reads what references stand for. */
export type ScopeEngine = Pick<RoutineEngine, 'run' | 'submit' | 'resolve' | 'open'>;

/** Hears what a body that runs in a scope does. */
export interface ScopeReporter {
  hanging(scope: RunScope, waits: boolean): void;
  progress(scope: RunScope, done: number, total: number | undefined): void;
  log(scope: RunScope, level: LogLevel, message: string): void;
}

/** The run that is going on, as its own body sees it. @public */
export interface Run {
  /** UUIDv7. */
  readonly runId: string;
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  readonly parentRunId: string | undefined;
  readonly rootRunId: string;
  /** 1 for the first execution; more when the run is run again, or was placed elsewhere. */
  readonly attempt: number;
  /** Aborted when the run is cancelled; its reason is a RoutineEngineError. */
  readonly signal: AbortSignal;
  /**
   * Tells how far the run is, in units of its own; shows as `run.progress`. A `done` that is not finite is not told, nor
   * is such a `total`, nor anything after the run is over.
   */
  progress(done: number, total?: number): void;
  /** Writes a line that shows as `run.log`, cut to 64 Ki characters. Default level `info`. */
  log(message: string, level?: LogLevel): void;
}

/** A sub-run that a body waits for. */
export interface SubRun {
  readonly runId: string;
  /** Its caller waits for it no more. */
  abandon(reason: Error): void;
}

/** What a {@link RunScope} is made of. */
export interface RunScopeParts {
  readonly engine: ScopeEngine;
  readonly kind: RoutineKind;
  readonly routineId: string;
  readonly parent?: RunScope | undefined;
  readonly cancel: CancelSignal;
  readonly reporter: ScopeReporter;
  readonly ids: Ids;
  /** Default: that of its parent. */
  readonly priority?: number | undefined;
  /** Present when the run was asked for elsewhere; else it is a run of its own, whose id is made when first needed. */
  readonly requested?: RequestedScope;
  /** Whether there is a handle to it. */
  readonly isSubmitted?: boolean;
}

type RequestedScope = Pick<
  EncodedCall,
  'runId' | 'parentRunId' | 'rootRunId' | 'attempt' | 'depth' | 'submitted' | 'priority' | 'triggerDepth'
>;

/** What a scope keeps of a call: not its arguments, since a scope may outlive its run. */
export function requestedOf(call: EncodedCall): RequestedScope {
  const { runId, parentRunId, rootRunId, attempt, depth, submitted, priority, triggerDepth } = call;
  return { runId, parentRunId, rootRunId, attempt, depth, submitted, priority, triggerDepth };
}

const LOG_LEVELS: ReadonlySet<unknown> = new Set<LogLevel>(['debug', 'info', 'warn', 'error']);
const isLogLevel = (level: unknown): level is LogLevel => LOG_LEVELS.has(level);

/** One run in the thread that executes its body. */
export class RunScope implements Run {
  readonly engine: ScopeEngine;
  readonly kind: RoutineKind;
  readonly routineId: string;
  readonly cancel: CancelSignal;
  readonly attempt: number;
  readonly parent: RunScope | undefined;
  /** How many runs are above it. */
  readonly depth: number;
  /** See {@link EncodedCall.submitted}. */
  readonly submitted: readonly string[] | undefined;
  readonly #reporter: ScopeReporter;
  readonly #ids: Ids;
  readonly #requested: RunScopeParts['requested'];
  readonly #priority: number | undefined;
  #runId: string | undefined;
  #outstanding: Set<SubRun> | undefined;
  /** Those that were submitted: they end with this run, which does not wait for them. */
  #submittedHere: Set<SubRun> | undefined;
  #ended = false;

  constructor(parts: RunScopeParts) {
    this.engine = parts.engine;
    this.kind = parts.kind;
    this.routineId = parts.routineId;
    this.cancel = parts.cancel;
    this.parent = parts.parent;
    this.#reporter = parts.reporter;
    this.#ids = parts.ids;
    this.#requested = parts.requested;
    this.#priority = parts.priority;
    this.#runId = parts.requested?.runId;
    this.attempt = parts.requested?.attempt ?? 1;
    this.depth = parts.requested ? (parts.requested.depth ?? 0) : parts.parent ? parts.parent.depth + 1 : 0;
    const above = parts.requested ? parts.requested.submitted : parts.parent?.submitted;
    this.submitted = parts.isSubmitted ? [...(above ?? []), this.runId] : above;
  }

  get runId(): string {
    return (this.#runId ??= this.#ids.next());
  }

  get parentRunId(): string | undefined {
    return this.#requested ? this.#requested.parentRunId : this.parent?.runId;
  }

  get rootRunId(): string {
    return this.#requested?.rootRunId ?? this.parent?.rootRunId ?? this.runId;
  }

  /** How many triggers, one after the other, led to this run; absent for none. */
  get triggerDepth(): number | undefined {
    return this.#requested ? this.#requested.triggerDepth : this.parent?.triggerDepth;
  }

  /** What the runs that it calls inherit. */
  get priority(): number {
    return this.#priority ?? this.#requested?.priority ?? this.parent?.priority ?? 0;
  }

  get signal(): AbortSignal {
    return this.cancel.abortSignal;
  }

  progress(done: number, total?: number): void {
    if (this.#isSilent || !Number.isFinite(done)) return;
    this.#reporter.progress(this, done, Number.isFinite(total) ? total : undefined);
  }

  log(message: unknown, level?: LogLevel): void {
    if (this.#isSilent) return;
    const text = typeof message === 'string' ? message : inspectValue(message);
    this.#reporter.log(this, isLogLevel(level) ? level : 'info', cut(text));
  }

  /** What a body says after its run is over is told to nobody: the last event of a run is how it ended. */
  get #isSilent(): boolean {
    return this.#ended || this.cancel.reason !== undefined;
  }

  /** Run ids of the sub-runs that are outstanding. */
  get waitsFor(): readonly string[] {
    return [...(this.#outstanding ?? [])].map((subRun) => subRun.runId);
  }

  /** Whether sub-runs are outstanding. */
  get hangs(): boolean {
    return this.#outstanding !== undefined && this.#outstanding.size > 0;
  }

  /**
   * Counts a sub-run that the body now waits for. HANGING is a counter: the first of several that returns does not
   * end it.
   * @returns to be called once when the sub-run has settled.
   */
  waitFor(subRun: SubRun): () => void {
    const outstanding = (this.#outstanding ??= new Set());
    outstanding.add(subRun);
    if (outstanding.size === 1 && !this.#ended) this.#reporter.hanging(this, true);
    return () => {
      if (outstanding.delete(subRun) && outstanding.size === 0 && !this.#ended)
        this.#reporter.hanging(this, false);
    };
  }

  /** Takes a sub-run that the body need not wait for. @returns to be called when it has settled. */
  adopt(subRun: SubRun): () => void {
    const adopted = (this.#submittedHere ??= new Set());
    adopted.add(subRun);
    return () => void adopted.delete(subRun);
  }

  /** Whether this is that run, or was called by it. Of runs elsewhere only those that were submitted are known. */
  isWithin(runId: string): boolean {
    if (this.submitted?.includes(runId)) return true;
    // An id that was never asked for is nobody's to wait for.
    return this.#runId === runId || (this.parent?.isWithin(runId) ?? false);
  }

  /** Whether the body is over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The body is over: sub-runs that it did not wait for are cancelled. @returns whether there were any. */
  end(): boolean {
    this.#ended = true;
    if (!this.hangs && !this.#submittedHere?.size) return false;
    const left = [...(this.#outstanding ?? []), ...(this.#submittedHere ?? [])];
    const reason = new RoutineEngineError(
      'RUN_CANCELLED',
      `${this.routineId} ended without waiting for its sub-run`,
    );
    for (const subRun of left) subRun.abandon(reason);
    return true;
  }
}

/** One storage a thread, also for a second installed copy of this package. */
const STORAGE = Symbol.for('@routine-engine/scope.v1');
type WithStorage = typeof globalThis & { [STORAGE]?: AsyncLocalStorage<RunScope | EngineScope> };
const storage = ((globalThis as WithStorage)[STORAGE] ??= new AsyncLocalStorage());

/** Binds calls to one engine, outside any run. */
export interface EngineScope {
  readonly engine: ScopeEngine;
  readonly kind?: undefined;
}

/** The innermost scope of the running code. */
export function currentScope(): RunScope | EngineScope | undefined {
  return storage.getStore();
}

/** The run that the running code belongs to. */
export function currentRunScope(): RunScope | undefined {
  const scope = storage.getStore();
  return scope?.kind === undefined ? undefined : scope;
}

/** Calls a function whose calls, also after each await, belong to the scope. */
export function inScope<Args extends readonly unknown[], T>(
  scope: RunScope | EngineScope,
  callback: (...args: Args) => T,
  ...args: Args
): T {
  return storage.run(scope, callback, ...args);
}

/**
 * The run that is going on.
 * @throws {@link RoutineEngineError} `NO_CURRENT_RUN` outside a routine.
 * @public
 */
export function currentRun(): Run {
  const run = currentRunScope();
  if (!run)
    throw new RoutineEngineError('NO_CURRENT_RUN', 'currentRun() works only inside the body of a routine');
  return run;
}
