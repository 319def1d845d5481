import { of, type Observable } from 'rxjs';
import { cancelledBy, type SubmittedRun } from '../context/submitted-run.js';
import type { ServiceInquiry } from '../dispatch/service-inquiry.js';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineInfo, WorkerInfo } from '../model/cluster-info.js';
import { byAge, selectRuns, type RunFilter, type RunInfo } from '../model/run-info.js';
import type { RunStatus } from '../model/statuses.js';
import type { RunHandle, Runs } from '../ports/runs.js';
import type { RunDirectory } from './run-directory.js';

/** The runs of this process and those that the service knows of. */
export class ClusterRuns implements Runs {
  readonly #here: RunDirectory;
  readonly #service: ServiceInquiry;
  readonly #observe: (run: RunInfo) => SubmittedRun;

  /** @param observe - gives a handle to a detached run of whomever, that hears how it ends. */
  constructor(here: RunDirectory, service: ServiceInquiry, observe: (run: RunInfo) => SubmittedRun) {
    this.#here = here;
    this.#service = service;
    this.#observe = observe;
  }

  async get(runId: string): Promise<RunHandle<unknown> | undefined> {
    const here = await this.#here.get(runId);
    if (here) return here;
    const { runs = [] } = await this.#service.ask({ question: 'runs', runId, filter: {} });
    const [found] = runs;
    if (!found?.detached) return found && new RunElsewhere(found, (reason) => this.#cancel(found, reason));
    // Somebody else in this process may have asked meanwhile.
    return (await this.#here.get(runId)) ?? this.#observed(found);
  }

  async list(filter: RunFilter = {}): Promise<readonly RunInfo[]> {
    const here = await this.#here.list(filter);
    const { status } = filter;
    const asked = { ...filter, ...(status !== undefined && { status: [status].flat() }) };
    const { runs = [] } = await this.#service.ask({ question: 'runs', filter: asked });
    const all = new Map(runs.map((run) => [run.runId, run]));
    // The service knows where a run is, and this process what it does.
    for (const run of here) all.set(run.runId, { ...all.get(run.runId), ...run });
    return selectRuns([...all.values()].sort(byAge), filter);
  }

  async cancel(runId: string, reason?: unknown): Promise<boolean> {
    if (await this.#here.cancel(runId, reason)) return true;
    return this.#cancel({ runId, routineId: runId }, reason);
  }

  async workers(): Promise<readonly WorkerInfo[]> {
    return (await this.#service.ask({ question: 'workers' })).workers ?? [];
  }

  async routines(): Promise<readonly RoutineInfo[]> {
    return (await this.#service.ask({ question: 'routines' })).routines ?? [];
  }

  /** Ended by its handle, it is ended at the service, and its end is heard of from there. */
  #observed(found: RunInfo): SubmittedRun {
    const run = this.#observe(found);
    run.cancellation.onCancel((reason) => {
      const { runId } = found;
      const asked = this.#service.ask({ question: 'cancel', runId, error: toPlainError(reason) });
      // Whether it comes too late shows in its end.
      void Promise.allSettled([asked]);
    });
    return run;
  }

  async #cancel(run: Pick<RunInfo, 'runId' | 'routineId'>, reason: unknown): Promise<boolean> {
    const error = toPlainError(cancelledBy('its id', run.routineId, reason));
    const { cancelled = false } = await this.#service.ask({ question: 'cancel', runId: run.runId, error });
    return cancelled;
  }
}

/** A run that another node requested. */
class RunElsewhere implements RunHandle<unknown> {
  readonly runId: string;
  readonly routineId: string;
  readonly status: RunStatus;
  readonly status$: Observable<RunStatus>;
  readonly #cancel: (reason: unknown) => Promise<boolean>;

  constructor({ runId, routineId, status }: RunInfo, cancel: (reason: unknown) => Promise<boolean>) {
    this.runId = runId;
    this.routineId = routineId;
    this.status = status;
    this.status$ = of(status);
    this.#cancel = cancel;
  }

  accepted(): Promise<void> {
    return Promise.resolve();
  }

  result(): Promise<unknown> {
    const message = `The run ${this.runId} of ${this.routineId} was requested by another node: its value belongs to that`;
    return Promise.reject(new RoutineEngineError('RUN_NOT_SUBMITTED', message));
  }

  cancel(reason?: unknown): void {
    // Whether it comes too late shows in the events of the run.
    void Promise.allSettled([this.#cancel(reason)]);
  }
}
