import type { PlainError } from '../errors/plain-error.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { RoutineInfo, WorkerInfo } from '../model/cluster-info.js';
import { LONGEST_LIST, selectRuns, type RunInfo } from '../model/run-info.js';
import type { AskService, Question, ServiceAnswers } from '../protocol/inspection.js';
import type { DetachedRun } from './detached-run.js';
import type { AnnouncedRunInfo, AnnouncedRuns } from './announced-runs.js';
import { workerInfo } from './listing.js';
import type { NodeSession } from './node-session.js';
import type { RoutineRecords } from './routine-records.js';
import type { RunLedger } from './run-ledger.js';
import type { RunRecord } from './run-record.js';
import type { WorkerTable } from './worker-table.js';

/** How long the items of one answer may be together, in characters: they go in one directive. */
const ANSWER_LENGTH = 400_000;

interface InspectionParts {
  readonly ledger: Pick<RunLedger, 'runs' | 'find' | 'cancelRun' | 'detachedAtEnd' | 'findDetached'>;
  readonly announced: AnnouncedRuns;
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
}

/** Answers what nodes ask of all that the service knows. */
export class Inspection {
  readonly #parts: InspectionParts;

  constructor(parts: InspectionParts) {
    this.#parts = parts;
  }

  answer(node: NodeSession, asked: AskService): void {
    node.post({ type: 'v1.service.answer', ask: asked.ask, ...this.#answerTo(asked) });
  }

  #answerTo(asked: Question): Omit<ServiceAnswers, 'type' | 'ask'> {
    const { workers, records } = this.#parts;
    try {
      switch (asked.question) {
        case 'runs':
          return { runs: fitting(selectRuns(this.#infosOf(asked.runId), asked.filter)) };
        case 'cancel':
          return { cancelled: this.#cancel(asked.runId, asked.error) };
        case 'workers':
          return {
            workers: fitting(first(workers.all).map((worker) => withFewRoutines(workerInfo(worker)))),
          };
        case 'routines':
          return { routines: fitting(first(records.all).map((entry) => routineInfo(entry, workers))) };
      }
    } catch (error) {
      return { error: toPlainError(error) };
    }
  }

  /** Those that nodes execute by themselves first: most of them called the others. */
  *#infosOf(runId: string | undefined): Generator<RunInfo> {
    const { ledger, announced } = this.#parts;
    if (runId === undefined) {
      for (const run of announced.all) yield announcedInfo(run);
      for (const record of ledger.runs) yield runInfo(record);
      for (const run of ledger.detachedAtEnd) yield detachedInfo(run);
      return;
    }
    const record = ledger.find(runId);
    if (record) return yield runInfo(record);
    const detached = ledger.findDetached(runId);
    if (detached) return yield detachedInfo(detached);
    const run = announced.find(runId);
    if (run) yield announcedInfo({ node: run.node.name, ...run.run });
  }

  #cancel(runId: string, error: PlainError): boolean {
    const { ledger, announced } = this.#parts;
    if (ledger.cancelRun(runId, error)) return true;
    const run = announced.find(runId);
    if (run?.node.role !== 'client') return false;
    run.node.post({ type: 'v1.routine.cancel', runId, attempt: 0, lease: 0, error });
    return true;
  }
}

function runInfo(record: RunRecord): RunInfo {
  const { runId, routineId, parentRunId, rootRunId } = record.request;
  // One that follows an equal one is where that is.
  const { worker, attempt, started, hanging, delivery } = record.leader ?? record;
  const isHanging = hanging && !delivery;
  return {
    ...{ runId, routineId, parentRunId, rootRunId, requester: record.requester.name, waitsFor: [] },
    status: !worker || !started ? 'PENDING' : isHanging ? 'HANGING' : 'RUNNING',
    // A run that waits for a worker is about to begin the next.
    attempt: worker ? attempt : attempt + 1,
    worker: worker?.node.name,
    ...(record.request.detached && { detached: true }),
  };
}

function detachedInfo({ request, status, name }: DetachedRun): RunInfo {
  return { ...request, status, requester: name, detached: true, waitsFor: [] };
}

function announcedInfo({ node, runId, routineId, parentRunId, rootRunId }: AnnouncedRunInfo): RunInfo {
  const run = { runId, routineId, parentRunId, rootRunId };
  return { ...run, status: 'RUNNING', requester: node, waitsFor: [] };
}

function routineInfo([recordId, routineId]: readonly [string, string], workers: WorkerTable): RoutineInfo {
  return { routineId, recordId, workers: workers.countOffering(routineId) };
}

function withFewRoutines(worker: WorkerInfo): WorkerInfo {
  return { ...worker, routines: worker.routines.slice(0, LONGEST_LIST) };
}

/** As many as a list may have. */
function first<T>(items: Iterable<T>): T[] {
  const taken: T[] = [];
  for (const item of items) {
    if (taken.length >= LONGEST_LIST) break;
    taken.push(item);
  }
  return taken;
}

/** As many as go into one directive. */
function fitting<T>(items: readonly T[]): readonly T[] {
  let length = 0;
  const end = items.findIndex((item) => (length += JSON.stringify(item).length) > ANSWER_LENGTH);
  return end === -1 ? items : items.slice(0, end);
}
