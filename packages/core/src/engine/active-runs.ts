import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { StateFeed } from '../events/state-feed.js';
import { statusOfCounts, type RunStatus, type WorkerStatus } from '../model/statuses.js';
import type { Cancellation } from '../context/cancellation.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { CurrentRun } from '../ports/routine-engine.js';

/** A run in hand, as its engine keeps it. Ids are read only when asked for. */
export interface ActiveRun {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  readonly attempt: number;
  readonly cancellation: Cancellation;
  /** The run whose end a trigger answers with this one. */
  readonly triggeredBy?: string | undefined;
  /** How many triggers, one after the other, led to this run; absent for none. */
  readonly triggerDepth?: number | undefined;
  /** A service has it go on without this engine, whatever becomes of that. */
  readonly isDetached?: boolean;
  /** It goes on without this engine, which tells no more of it. Absent: it can't. */
  leave?(): void;
  status: Extract<RunStatus, 'PENDING' | 'RUNNING' | 'HANGING'>;
  readonly waitsFor: readonly string[];
  /** Hears each change of its status, and how it ended. */
  onStatus: ((status: RunStatus) => void) | undefined;
}

/**
 * What becomes of the runs of triggers, which nobody waits for, when their engine closes. `finish`: they and what they call go
 * on, for at most that many milliseconds. `leave`: the service has them, and they go on without this engine.
 */
export type TriggeredAtClose = { readonly finishWithinMs: number; readonly clock: Clock } | 'leave';

/** Hears of the runs whose bodies run here, and of every end. */
export interface ActiveRunWatcher {
  begins(run: ActiveRun): void;
  ends(run: ActiveRun): void;
}

/** The runs in hand of one engine, its status, and its end. */
export class ActiveRuns {
  readonly #runs = new Set<ActiveRun>();
  readonly #status = new StateFeed<WorkerStatus>('IDLE');
  #hanging = 0;
  #closed = false;
  /** Runs of triggers may go on while the engine closes; `undefined` unless it closes in that way. */
  #finishing: 'yet' | 'no more' | undefined;
  #late: Timer | undefined;
  #resolveClosing: () => void = () => undefined;
  readonly #closing = new Promise<void>((resolve) => (this.#resolveClosing = resolve));

  readonly status$ = this.#status.state$;
  readonly #watcher: ActiveRunWatcher | undefined;

  /** @param watcher - hears of the runs whose bodies run here. */
  constructor(watcher?: ActiveRunWatcher) {
    this.#watcher = watcher;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Whether it has closed and left the runs of triggers to the service. */
  get left(): boolean {
    return this.#closed && this.#finishing === undefined;
  }

  /** Whether no call is taken. @param triggerDepth - of the call: those that a trigger led to are taken a little longer. */
  refuses(triggerDepth: number | undefined): boolean {
    return this.#closed && (triggerDepth === undefined || this.#finishing !== 'yet');
  }

  get current(): readonly CurrentRun[] {
    return [...this.#runs].map(({ runId, routineId, parentRunId, status, waitsFor }) => ({
      runId,
      routineId,
      status,
      waitsFor,
      ...(parentRunId !== undefined && { parentRunId }),
    }));
  }

  [Symbol.iterator](): Iterator<ActiveRun> {
    return this.#runs.values();
  }

  find(runId: string): ActiveRun | undefined {
    for (const run of this.#runs) if (run.runId === runId) return run;
    return undefined;
  }

  /** Whether one run is another, or was called by it. */
  isWithin(runId: string, outerRunId: string): boolean {
    const parents = new Map([...this.#runs].map((run) => [run.runId, run.parentRunId]));
    for (let id: string | undefined = runId; id !== undefined; id = parents.get(id))
      if (id === outerRunId) return true;
    return false;
  }

  add(run: ActiveRun): void {
    this.#runs.add(run);
    this.#refresh();
  }

  /** The body of a run begins to run, here. When only equal calls still wait for what comes of it, the run itself is over. */
  beginsHere(run: ActiveRun): void {
    if (this.#runs.has(run)) this.#watcher?.begins(run);
  }

  setStatus(run: ActiveRun, status: ActiveRun['status']): void {
    if (!this.#runs.has(run) || run.status === status) return;
    if (run.status === 'HANGING') this.#hanging -= 1;
    if (status === 'HANGING') this.#hanging += 1;
    run.status = status;
    run.onStatus?.(status);
    this.#refresh();
  }

  remove(run: ActiveRun): void {
    if (!this.#runs.delete(run)) return;
    if (run.status === 'HANGING') this.#hanging -= 1;
    this.#watcher?.ends(run);
    this.#refresh();
    this.#endWhenEmpty();
  }

  /** Takes no more runs, cancels those in hand, and resolves when none is left. A second call gives the same promise. */
  close(name: string, triggered: TriggeredAtClose): Promise<void> {
    if (!this.#closed) this.#close(name, triggered);
    return this.#closing;
  }

  #close(name: string, triggered: TriggeredAtClose): void {
    this.#closed = true;
    this.#status.set('TERMINATING');
    for (const run of this.#runs) if (run.isDetached) this.#leave(run);
    if (triggered === 'leave') {
      for (const run of this.#runs) if (run.leave && run.triggeredBy !== undefined) this.#leave(run);
      this.#cancel(name, () => true);
    } else {
      this.#finishing = 'yet';
      this.#late = triggered.clock.after(triggered.finishWithinMs, () => {
        this.#finishing = 'no more';
        this.#cancel(name, () => true);
      });
      this.#cancel(name, ({ triggerDepth }) => triggerDepth === undefined);
    }
    this.#endWhenEmpty();
  }

  #leave(run: ActiveRun): void {
    this.#runs.delete(run);
    run.leave?.();
  }

  #cancel(name: string, ends: (run: ActiveRun) => boolean): void {
    for (const { routineId, cancellation } of [...this.#runs].filter(ends)) {
      const message = `The run of ${routineId} was cancelled: ${name} shuts down`;
      cancellation.cancel(new RoutineEngineError('RUN_CANCELLED', message));
    }
  }

  #endWhenEmpty(): void {
    if (!this.#closed || this.#runs.size > 0) return;
    this.#late?.cancel();
    this.#status.complete();
    this.#resolveClosing();
  }

  #refresh(): void {
    if (this.#closed) return;
    this.#status.set(statusOfCounts({ running: this.#runs.size - this.#hanging, hanging: this.#hanging }));
  }
}
