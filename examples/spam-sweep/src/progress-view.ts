import type { EngineEvent, RunEvent } from '@routine-engine/core';

/** What a run is doing, or how it ended. */
export type RunState = 'queued' | 'running' | 'hanging' | 'done' | 'cached' | 'failed' | 'cancelled';

/** All states, in the order in which people read them. */
export const RUN_STATES = [
  'queued',
  'running',
  'hanging',
  'done',
  'cached',
  'failed',
  'cancelled',
] as const satisfies readonly RunState[];

/** One run, as its events tell it. */
export interface RunView {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId: string | undefined;
  readonly state: RunState;
  readonly attempt: number;
  /** Where it ran last; absent before it started. */
  readonly worker?: string;
  /** How far its body says it is. */
  readonly progress: { readonly done: number; readonly total: number | undefined } | undefined;
  /** Bytes of arguments sent out and of the result that came back. */
  readonly bytes: number;
  /** Milliseconds since 1970. */
  readonly requestedAt: number;
  /** Milliseconds since 1970; absent while it goes on. */
  readonly endedAt?: number;
}

/** Everything that the view shows. Never changed in place. */
export interface ProgressState {
  /** By run id, in the order in which they were requested. */
  readonly runs: ReadonlyMap<string, RunView>;
}

/** One line of the tree: all runs of one routine that the same routine called. */
export interface TreeRow {
  /** Short name, such as `train`. */
  readonly name: string;
  /** 0 for a root. */
  readonly depth: number;
  readonly counts: Readonly<Record<RunState, number>>;
  /** Parts of the runs in work that are done, added up: 1.5 for three runs that are half through. */
  readonly underway: number;
  readonly bytes: number;
  /** From the first request to the end of the last run, or undefined while one goes on; milliseconds since 1970. */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** What became of all tasks. */
export interface TaskSummary {
  readonly tasks: number;
  readonly executed: number;
  readonly cached: number;
  readonly failed: number;
  readonly cancelled: number;
}

/** Before the first event. */
export const NO_PROGRESS: ProgressState = { runs: new Map() };

/** The state after one more event. Events that do not concern a run change nothing. */
export function reduceProgress(state: ProgressState, event: EngineEvent): ProgressState {
  if (!isRunEvent(event)) return state;
  const before = state.runs.get(event.runId) ?? newRun(event);
  // What a lost worker still says about a run that has ended elsewhere is no news.
  if (before.endedAt !== undefined) return state;
  return { runs: new Map(state.runs).set(event.runId, nextRun(before, event)) };
}

/** The lines of the tree, each parent before its children. */
export function treeRows(state: ProgressState): TreeRow[] {
  const lines = new Map<string, { depth: number; runs: RunView[] }>();
  for (const run of state.runs.values()) {
    const path = pathOf(state, run);
    const key = path.join('\n');
    const line = lines.get(key) ?? { depth: path.length - 1, runs: [] };
    line.runs.push(run);
    lines.set(key, line);
  }
  return parentsFirst([...lines.keys()]).flatMap((key) => {
    const line = lines.get(key);
    return line === undefined ? [] : [toRow(line.depth, line.runs)];
  });
}

/** Counts tasks; workflows only hold them together. */
export function summarizeTasks(state: ProgressState): TaskSummary {
  const tasks = [...state.runs.values()].filter((run) => isTask(run.routineId));
  const inState = (wanted: RunState) => tasks.filter((run) => run.state === wanted).length;
  return {
    tasks: tasks.length,
    executed: inState('done'),
    cached: inState('cached'),
    failed: inState('failed'),
    cancelled: inState('cancelled'),
  };
}

/** `train` of `tname:spam-sweep:train:1.0.0`; an id of another form is its own name. */
export function routineName(routineId: string): string {
  const parts = routineId.split(':');
  return (parts[0] === 'tname' || parts[0] === 'wfname' ? parts[2] : undefined) ?? routineId;
}

/** Whether an id names a task, not a workflow. */
function isTask(routineId: string): boolean {
  return routineId.startsWith('tname:') || routineId.startsWith('tdb:');
}

/** Whether an event is about one run. */
export function isRunEvent(event: EngineEvent): event is RunEvent {
  return event.type.startsWith('run.');
}

function newRun({ runId, routineId, parentRunId, attempt, at }: RunEvent): RunView {
  return {
    runId,
    routineId,
    parentRunId,
    state: 'queued',
    attempt,
    progress: undefined,
    bytes: 0,
    requestedAt: at,
  };
}

function nextRun(run: RunView, event: RunEvent): RunView {
  const { attempt, at } = event;
  switch (event.type) {
    case 'run.requested':
    case 'run.log':
      return run;
    case 'run.dispatched':
      return { ...run, bytes: run.bytes + event.byteLength };
    case 'run.waiting':
      return { ...run, state: 'queued' };
    case 'run.starting':
      return { ...run, state: 'running', attempt, worker: event.worker, progress: undefined };
    case 'run.hanging':
      return { ...run, state: 'hanging' };
    case 'run.resumed':
      return { ...run, state: 'running' };
    case 'run.progress':
      return { ...run, progress: { done: event.done, total: event.total } };
    case 'run.retrying':
      return { ...run, state: 'queued', attempt, progress: undefined };
    case 'run.cached':
      return { ...run, state: 'cached', bytes: run.bytes + event.byteLength, endedAt: at };
    case 'run.completed':
      return { ...run, state: 'done', bytes: run.bytes + event.byteLength, endedAt: at };
    case 'run.failed':
      return { ...run, state: 'failed', endedAt: at };
    case 'run.cancelled':
      return { ...run, state: 'cancelled', endedAt: at };
  }
}

/** Routine names from the root down to the run. */
function pathOf(state: ProgressState, run: RunView): string[] {
  const path: string[] = [];
  const seen = new Set<string>();
  for (let at: RunView | undefined = run; at !== undefined && !seen.has(at.runId);) {
    seen.add(at.runId);
    path.unshift(at.routineId);
    at = at.parentRunId === undefined ? undefined : state.runs.get(at.parentRunId);
  }
  return path;
}

/** Depth first; siblings in the order in which they were first requested. */
function parentsFirst(keys: readonly string[]): string[] {
  const ordered: string[] = [];
  const append = (key: string) => {
    ordered.push(key);
    for (const other of keys) if (parentKey(other) === key) append(other);
  };
  for (const key of keys) if (parentKey(key) === undefined) append(key);
  return ordered;
}

function parentKey(key: string): string | undefined {
  const end = key.lastIndexOf('\n');
  return end < 0 ? undefined : key.slice(0, end);
}

function toRow(depth: number, runs: readonly RunView[]): TreeRow {
  const counts = Object.fromEntries(
    RUN_STATES.map((state) => [state, runs.filter((run) => run.state === state).length]),
  ) as Record<RunState, number>;
  const open = runs.filter((run) => run.endedAt === undefined);
  return {
    name: routineName(runs[0]?.routineId ?? ''),
    depth,
    counts,
    underway: open.reduce((sum, run) => sum + partDone(run), 0),
    bytes: runs.reduce((sum, run) => sum + run.bytes, 0),
    startedAt: Math.min(...runs.map((run) => run.requestedAt)),
    endedAt: open.length > 0 ? undefined : Math.max(...runs.map((run) => run.endedAt ?? 0)),
  };
}

function partDone({ progress }: RunView): number {
  return progress?.total === undefined || progress.total <= 0
    ? 0
    : Math.min(1, progress.done / progress.total);
}
