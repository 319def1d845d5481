import { inspect } from 'node:util';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { matchesRoutineId, parseRoutineId } from './routine-id.js';
import type { RunStatus } from './statuses.js';

/** What is known of a run. Plain data, a snapshot. @public */
export interface RunInfo {
  readonly runId: string;
  /** Full routine id, such as `tname:news:train:0.0.1`. */
  readonly routineId: string;
  /** The run that called it; absent for a root. */
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  readonly status: RunStatus;
  /** Absent once it is over. */
  readonly attempt?: number | undefined;
  /** Name of the worker that holds it; absent when none does, and without a service. */
  readonly worker?: string | undefined;
  /** Name of the node that requested it, when the service knows it. */
  readonly requester?: string | undefined;
  /** It outlives who submitted it, and its result can be asked for. Absent: it does not. */
  readonly detached?: true | undefined;
  /** Run ids of the sub-runs it waits for, as far as they are known where it was asked. */
  readonly waitsFor: readonly string[];
}

/** Which runs are wanted; every part that is given must fit. @public */
export interface RunFilter {
  readonly status?: RunStatus | readonly RunStatus[];
  /** A routine id; parts that are missing fit any, such as `tname:train`. */
  readonly routine?: string;
  readonly parentRunId?: string;
  readonly rootRunId?: string;
  /** The most that are given, 1 to 1,000. Default 100. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 100;
/** Most items that are listed at once. */
export const LONGEST_LIST = 1_000;
export const RUN_STATUSES = ['PENDING', 'RUNNING', 'HANGING', 'DONE', 'FAILED', 'CANCELLED'] as const;

/** Whether a run has ended. */
export function isOver(status: RunStatus): boolean {
  return status === 'DONE' || status === 'FAILED' || status === 'CANCELLED';
}

/**
 * The first runs that fit a filter. No more are looked at than it takes.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, `ROUTINE_ID_INVALID`.
 */
export function selectRuns(runs: Iterable<RunInfo>, filter: RunFilter): readonly RunInfo[] {
  assertRunFilter(filter);
  const { status, routine, parentRunId, rootRunId, limit = DEFAULT_LIMIT } = filter;
  const statuses = status === undefined ? undefined : new Set([status].flat());
  const fitsRoutine = routine === undefined ? undefined : routineFilter(routine);
  const fitting: RunInfo[] = [];
  for (const run of runs) {
    if (statuses && !statuses.has(run.status)) continue;
    if (parentRunId !== undefined && run.parentRunId !== parentRunId) continue;
    if (rootRunId !== undefined && run.rootRunId !== rootRunId) continue;
    if (fitsRoutine && !fitsRoutine(run.routineId)) continue;
    fitting.push(run);
    if (fitting.length >= limit) break;
  }
  return fitting;
}

function assertRunFilter({ status, limit, parentRunId, rootRunId }: RunFilter): void {
  const refuse = (option: string, value: unknown, wanted: string): never => {
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `runs: ${option} is ${inspect(value)}; it must be ${wanted}`,
    );
  };
  const isStatus = (each: RunStatus): boolean => RUN_STATUSES.includes(each);
  if (status !== undefined && ![status].flat().every(isStatus))
    refuse('status', status, `one or some of ${RUN_STATUSES.join(', ')}`);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= LONGEST_LIST))
    refuse('limit', limit, `a whole number from 1 to ${LONGEST_LIST}`);
  for (const [option, value] of Object.entries({ parentRunId, rootRunId }))
    if (value !== undefined && typeof value !== 'string') refuse(option, value, 'a run id');
}

function routineFilter(routine: string): (routineId: string) => boolean {
  const pattern = parseRoutineId(routine);
  return (routineId) => matchesRoutineId(pattern, parseRoutineId(routineId));
}

/** Oldest first: run ids grow with time. */
export function byAge(a: RunInfo, b: RunInfo): number {
  return a.runId < b.runId ? -1 : 1;
}
