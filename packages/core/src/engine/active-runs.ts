import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { StateFeed } from '../events/state-feed.js';
import { statusOfCounts, type RunStatus, type WorkerStatus } from '../model/statuses.js';
import type { Cancellation } from '../context/cancellation.js';
import type { CurrentRun } from '../ports/routine-engine.js';

/** A run in hand, as its engine keeps it. Ids are read only when asked for. */
export interface ActiveRun {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId?: string | undefined;
  readonly cancellation: Cancellation;
  status: Extract<RunStatus, 'PENDING' | 'RUNNING' | 'HANGING'>;
  readonly waitsFor: readonly string[];
}

/** The runs in hand of one engine, its status, and its end. */
export class ActiveRuns {
  readonly #runs = new Set<ActiveRun>();
  readonly #status = new StateFeed<WorkerStatus>('IDLE');
  #hanging = 0;
  #closed = false;
  #resolveClosing: () => void = () => undefined;
  readonly #closing = new Promise<void>((resolve) => (this.#resolveClosing = resolve));

  readonly status$ = this.#status.state$;

  get closed(): boolean {
    return this.#closed;
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

  add(run: ActiveRun): void {
    this.#runs.add(run);
    this.#refresh();
  }

  setStatus(run: ActiveRun, status: ActiveRun['status']): void {
    if (!this.#runs.has(run) || run.status === status) return;
    if (run.status === 'HANGING') this.#hanging -= 1;
    if (status === 'HANGING') this.#hanging += 1;
    run.status = status;
    this.#refresh();
  }

  remove(run: ActiveRun): void {
    if (!this.#runs.delete(run)) return;
    if (run.status === 'HANGING') this.#hanging -= 1;
    this.#refresh();
    this.#endWhenEmpty();
  }

  /** Takes no more runs, cancels those in hand, and resolves when none is left. A second call gives the same promise. */
  close(name: string): Promise<void> {
    if (!this.#closed) this.#close(name);
    return this.#closing;
  }

  #close(name: string): void {
    this.#closed = true;
    this.#status.set('TERMINATING');
    for (const run of [...this.#runs]) {
      run.cancellation.cancel(
        new RoutineEngineError(
          'RUN_CANCELLED',
          `The run of ${run.routineId} was cancelled: ${name} shuts down`,
        ),
      );
    }
    this.#endWhenEmpty();
  }

  #endWhenEmpty(): void {
    if (!this.#closed || this.#runs.size > 0) return;
    this.#status.complete();
    this.#resolveClosing();
  }

  #refresh(): void {
    if (this.#closed) return;
    this.#status.set(statusOfCounts({ running: this.#runs.size - this.#hanging, hanging: this.#hanging }));
  }
}
