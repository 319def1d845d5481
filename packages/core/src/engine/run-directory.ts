import type { Observable } from 'rxjs';
import { recursiveWait } from '../context/recursion.js';
import { currentRunScope } from '../context/run-scope.js';
import { cancelledBy, type SubmittedRun } from '../context/submitted-run.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { StateFeed } from '../events/state-feed.js';
import { LIMITS } from '../model/limits.js';
import { byAge, isOver, selectRuns, type RunFilter, type RunInfo } from '../model/run-info.js';
import type { RunStatus } from '../model/statuses.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { RunHandle, Runs } from '../ports/runs.js';
import type { ActiveRun, ActiveRuns } from './active-runs.js';

/** The runs of one engine by their ids: those in hand, and for a while those that were submitted. */
export class RunDirectory implements Runs {
  readonly #active: ActiveRuns;
  readonly #clock: Clock;
  readonly #submitted = new Map<string, SubmittedRun>();
  /** Submitted ones that are over, and when they ended by the monotonic clock; oldest first. */
  readonly #finished = new Map<string, { readonly run: SubmittedRun; readonly at: number }>();
  #forgetting: Timer | undefined;

  constructor(active: ActiveRuns, clock: Clock) {
    this.#active = active;
    this.#clock = clock;
  }

  /** Takes a run that was just submitted. */
  add(run: SubmittedRun): void {
    this.#submitted.set(run.runId, run);
  }

  /** A submitted run is over: it is known for a while. */
  finish(run: SubmittedRun): void {
    if (!this.#submitted.delete(run.runId) || this.#active.closed) return;
    this.#finished.set(run.runId, { run, at: this.#clock.monotonic() });
    for (const runId of this.#finished.keys()) {
      if (this.#finished.size <= LIMITS.finishedRuns) break;
      this.#finished.delete(runId);
    }
    this.#forgetting ??= this.#clock.after(LIMITS.finishedRunsMs, () => this.#forget());
  }

  async get(runId: string): Promise<RunHandle<unknown> | undefined> {
    const submitted = this.#submitted.get(runId) ?? this.#finished.get(runId)?.run;
    if (submitted) return submitted;
    const run = this.#active.find(runId);
    return run && new CalledRun(run, this.#active);
  }

  /** Resolves when each detached run is accepted by the service, or never will be. */
  async whenAccepted(): Promise<void> {
    await Promise.allSettled([...this.#submitted.values()].map((run) => run.accepted()));
  }

  async list(filter: RunFilter = {}): Promise<readonly RunInfo[]> {
    return selectRuns([...this.#all()].sort(byAge), filter);
  }

  async cancel(runId: string, reason?: unknown): Promise<boolean> {
    const run = this.#active.find(runId);
    run?.cancellation.cancel(cancelledBy('its id', run.routineId, reason));
    return run !== undefined;
  }

  /** There is no service. */
  async workers(): Promise<readonly never[]> {
    return [];
  }

  /** There is no service. */
  async routines(): Promise<readonly never[]> {
    return [];
  }

  /** Forgets what is over, since nobody can ask any more. */
  close(): void {
    this.#forgetting?.cancel();
    this.#finished.clear();
  }

  *#all(): Generator<RunInfo> {
    for (const { run } of this.#finished.values()) {
      const { runId, routineId, parentRunId, rootRunId, status } = run;
      yield { runId, routineId, parentRunId, rootRunId, status, waitsFor: [] };
    }
    for (const run of this.#active) {
      const { runId, routineId, parentRunId, rootRunId, status, attempt, waitsFor } = run;
      yield { runId, routineId, parentRunId, rootRunId, status, attempt, waitsFor };
    }
  }

  #forget(): void {
    this.#forgetting = undefined;
    const now = this.#clock.monotonic();
    for (const [runId, { at }] of this.#finished) {
      const left = at + LIMITS.finishedRunsMs - now;
      if (left > 0) {
        this.#forgetting = this.#clock.after(left, () => this.#forget());
        return;
      }
      this.#finished.delete(runId);
    }
  }
}

/** A run that somebody called: it can be watched and cancelled, but its value belongs to its caller. */
class CalledRun implements RunHandle<unknown> {
  readonly runId: string;
  readonly routineId: string;
  readonly status$: Observable<RunStatus>;
  readonly #run: ActiveRun;
  readonly #active: ActiveRuns;
  readonly #status: StateFeed<RunStatus>;

  constructor(run: ActiveRun, active: ActiveRuns) {
    this.#run = run;
    this.#active = active;
    this.runId = run.runId;
    this.routineId = run.routineId;
    const feed = new StateFeed<RunStatus>(run.status);
    this.#status = feed;
    this.status$ = feed.state$;
    const { onStatus } = run;
    run.onStatus = (status) => {
      onStatus?.(status);
      feed.set(status);
      if (isOver(status)) feed.complete();
    };
  }

  get status(): RunStatus {
    return this.#status.state;
  }

  accepted(): Promise<void> {
    return Promise.resolve();
  }

  result(): Promise<unknown> {
    const { runId, routineId } = this;
    const waiter = currentRunScope();
    if (waiter && !isOver(this.status) && this.#active.isWithin(waiter.runId, runId))
      return Promise.reject(recursiveWait(waiter, this));
    const message = `The run ${runId} of ${routineId} was called, and not submitted: its value belongs to its caller`;
    return Promise.reject(new RoutineEngineError('RUN_NOT_SUBMITTED', message));
  }

  cancel(reason?: unknown): void {
    if (!isOver(this.status))
      this.#run.cancellation.cancel(cancelledBy('its handle', this.routineId, reason));
  }
}
