import {
  matchesRoutineId,
  parseRoutineId,
  type EngineEvent,
  type RunEvent,
  type RunStatus,
  type ServiceWorkerStatus,
  type WorkerStatusChanged,
} from '@routine-engine/core';

/** One status in a timeline. @public */
export interface StatusChange<Status> {
  readonly status: Status;
  /** When it began, in milliseconds since 1970 (UTC), by the clock of the node that told it. */
  readonly at: number;
}

/** Statuses of something, in order; none follows itself. @public */
export interface StatusTimeline<Status = string> {
  /** What it is of, for messages. */
  readonly name: string;
  readonly changes: readonly StatusChange<Status>[];
  readonly statuses: readonly Status[];
}

/** What became of one run. @public */
export interface RunTimeline extends StatusTimeline<RunStatus> {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId: string | undefined;
  /** Names of the workers that its body began on, one for each attempt, or of the node itself for a run in its calling thread. */
  readonly workers: readonly string[];
}

/** What became of runs and workers, as events tell it. @public */
export interface Timeline {
  /** In the order in which they were requested. */
  readonly runs: readonly RunTimeline[];
  /**
   * The one run of a routine.
   * @param which - its run id, or the name or id of its routine, such as `train` or `tname:news:train`.
   * @throws an Error that lists what there is, when it is not exactly one.
   */
  run(which: string): RunTimeline;
  /** All runs of a routine; see `run`. */
  runsOf(which: string): readonly RunTimeline[];
  /**
   * A worker, as it told itself and as the service told of it: that it is late or gone only the service knows. Empty for one
   * of which nothing was told.
   */
  worker(name: string): StatusTimeline<ServiceWorkerStatus>;
}

/**
 * Reads events, such as those of `lifecycle.events$` or of a test cluster, as statuses of runs and workers.
 * @public
 */
export function timelineOf(events: readonly EngineEvent[]): Timeline {
  const runs = runTimelines(events);
  const runsOf = (which: string): readonly RunTimeline[] => runs.filter((run) => isMeant(run, which));
  return {
    runs,
    runsOf,
    run(which) {
      const [first, ...more] = runsOf(which);
      if (first && more.length === 0) return first;
      const there = [...new Set(runs.map(({ routineId }) => routineId))].join(', ') || 'none at all';
      throw new Error(
        `There are ${first ? more.length + 1 : 0} runs of ${which}; there are runs of ${there}`,
      );
    },
    worker: (name) => workerTimeline(events, name),
  };
}

function runTimelines(events: readonly EngineEvent[]): readonly RunTimeline[] {
  const byRun = new Map<string, RunEvent[]>();
  for (const event of events) {
    if (!isOfRun(event)) continue;
    const others = byRun.get(event.runId);
    if (others) others.push(event);
    else byRun.set(event.runId, [event]);
  }
  return [...byRun.values()].map((of) => {
    const { runId, routineId, parentRunId } = of[0] as RunEvent;
    const changes = changesOf(of, (event) => RUN_STATUSES[event.type]);
    const workers = of.flatMap((event) => (event.type === 'run.starting' ? [event.worker] : []));
    return { ...timeline(`run ${runId} of ${routineId}`, changes), runId, routineId, parentRunId, workers };
  });
}

const RUN_STATUSES: Partial<Record<EngineEvent['type'], RunStatus>> = {
  'run.requested': 'PENDING',
  'run.starting': 'RUNNING',
  'run.hanging': 'HANGING',
  'run.resumed': 'RUNNING',
  'run.retrying': 'PENDING',
  'run.cached': 'DONE',
  'run.completed': 'DONE',
  'run.failed': 'FAILED',
  'run.cancelled': 'CANCELLED',
};

function isOfRun(event: EngineEvent): event is RunEvent {
  return event.type.startsWith('run.') && event.type !== 'run.impure';
}

function isMeant({ runId, routineId }: RunTimeline, which: string): boolean {
  if (runId === which) return true;
  const id = parseRoutineId(routineId);
  if (/^(t|wf)name:/.test(which)) return matchesRoutineId(parseRoutineId(which), id);
  return id.form === 'name' ? id.name === which : routineId === which;
}

function workerTimeline(events: readonly EngineEvent[], worker: string): StatusTimeline<ServiceWorkerStatus> {
  const of = events.filter(
    (event): event is WorkerStatusChanged => event.type === 'worker.status' && event.worker === worker,
  );
  return timeline(
    worker,
    changesOf(of, ({ status }) => status),
  );
}

function changesOf<Event extends { readonly at: number }, Status>(
  events: readonly Event[],
  statusOf: (event: Event) => Status | undefined,
): readonly StatusChange<Status>[] {
  const changes: StatusChange<Status>[] = [];
  for (const event of events) {
    const status = statusOf(event);
    if (status !== undefined && changes.at(-1)?.status !== status) changes.push({ status, at: event.at });
  }
  return changes;
}

function timeline<Status>(name: string, changes: readonly StatusChange<Status>[]): StatusTimeline<Status> {
  return { name, changes, statuses: changes.map(({ status }) => status) };
}
