import type { PlainError } from '../errors/plain-error.js';
import type { RoutineInfo, WorkerInfo } from '../model/cluster-info.js';
import { LONGEST_LIST, RUN_STATUSES, type RunFilter, type RunInfo } from '../model/run-info.js';
import { WORKER_STATUSES, type ServiceWorkerStatus } from '../model/statuses.js';
import { ID_LENGTH, NAME_LENGTH, type FieldReader } from './fields.js';

/** What a node may ask the service: what it knows, or to cancel a run of whomever. */
export type Question =
  | { readonly question: 'runs'; readonly runId?: string | undefined; readonly filter: RunFilter }
  | { readonly question: 'workers' | 'routines' }
  | { readonly question: 'cancel'; readonly runId: string; readonly error: PlainError };

/** node -> service. Answered by `answer`. */
export type AskService = Question & {
  readonly type: 'v1.service.ask';
  /** Made by the node; the answer has the same. */
  readonly ask: string;
};

/** service -> node: as much as fits into one directive. */
export interface ServiceAnswers {
  readonly type: 'v1.service.answer';
  readonly ask: string;
  readonly runs?: readonly RunInfo[] | undefined;
  readonly workers?: readonly WorkerInfo[] | undefined;
  readonly routines?: readonly RoutineInfo[] | undefined;
  /** Whether there was a run to be cancelled. */
  readonly cancelled?: boolean | undefined;
  /** Why it can't be answered. */
  readonly error?: PlainError | undefined;
}

const MOST = 1_000_000;
const STATUSES_AT_SERVICE: readonly ServiceWorkerStatus[] = [...WORKER_STATUSES, 'UNRESPONSIVE', 'CLOSED'];

export function readAsk(fields: FieldReader): AskService {
  const base = { type: 'v1.service.ask', ask: fields.text('ask', ID_LENGTH) } as const;
  const question = fields.oneOf('question', ['runs', 'workers', 'routines', 'cancel']);
  if (question === 'cancel')
    return { ...base, question, runId: fields.text('runId', ID_LENGTH), error: fields.error('error') };
  if (question !== 'runs') return { ...base, question };
  const runId = fields.optional('runId', (name) => fields.text(name, ID_LENGTH));
  return { ...base, question, runId, filter: readFilter(fields.record('filter')) };
}

export function readAnswer(fields: FieldReader): ServiceAnswers {
  const list = <T>(name: string, read: (item: FieldReader) => T): T[] | undefined =>
    fields.optional(name, () => fields.list(name, (value) => read(fields.item(name, value)), LONGEST_LIST));
  return {
    type: 'v1.service.answer',
    ask: fields.text('ask', ID_LENGTH),
    runs: list('runs', readRun),
    workers: list('workers', readWorker),
    routines: list('routines', readRoutine),
    cancelled: fields.optional('cancelled', (name) => fields.flag(name)),
    error: fields.optional('error', (name) => fields.error(name)),
  };
}

function readFilter(fields: FieldReader): RunFilter {
  const text = (name: string, longest: number) => fields.optional(name, () => fields.text(name, longest));
  const status = fields.optional('status', (name) => fields.someOf(name, RUN_STATUSES));
  const [routine, parentRunId, rootRunId] = [
    text('routine', NAME_LENGTH),
    text('parentRunId', ID_LENGTH),
    text('rootRunId', ID_LENGTH),
  ];
  const limit = fields.optional('limit', (name) => fields.count(name, LONGEST_LIST));
  return {
    ...(status && { status }),
    ...(routine !== undefined && { routine }),
    ...(parentRunId !== undefined && { parentRunId }),
    ...(rootRunId !== undefined && { rootRunId }),
    ...(limit !== undefined && { limit }),
  };
}

function readRun(fields: FieldReader): RunInfo {
  const text = (name: string, longest: number) => fields.optional(name, () => fields.text(name, longest));
  return {
    runId: fields.text('runId', ID_LENGTH),
    routineId: fields.text('routineId', NAME_LENGTH),
    parentRunId: text('parentRunId', ID_LENGTH),
    rootRunId: fields.text('rootRunId', ID_LENGTH),
    status: fields.oneOf('status', RUN_STATUSES),
    attempt: fields.optional('attempt', (name) => fields.count(name, MOST)),
    worker: text('worker', NAME_LENGTH),
    requester: text('requester', NAME_LENGTH),
    detached: fields.optional('detached', (name) => fields.flag(name) || undefined),
    waitsFor: fields.texts('waitsFor', ID_LENGTH, LONGEST_LIST),
  };
}

function readWorker(fields: FieldReader): WorkerInfo {
  return {
    name: fields.text('name', NAME_LENGTH),
    status: fields.oneOf('status', STATUSES_AT_SERVICE),
    slots: fields.count('slots', MOST),
    inbox: fields.count('inbox', MOST),
    running: fields.count('running', MOST),
    hanging: fields.count('hanging', MOST),
    acceptsWork: fields.flag('acceptsWork'),
    labels: fields.labels('labels'),
    routines: fields.texts('routines', NAME_LENGTH, LONGEST_LIST),
  };
}

function readRoutine(fields: FieldReader): RoutineInfo {
  return {
    routineId: fields.text('routineId', NAME_LENGTH),
    recordId: fields.text('recordId', NAME_LENGTH),
    workers: fields.count('workers', MOST),
  };
}
