import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type {
  AcknowledgeRuns,
  CancelRun,
  Directive,
  RequestStart,
  RunCompletes,
  RunFails,
  RunHangs,
  RunHeader,
} from '../protocol/directives.js';
import { AnsweredRuns, type AnsweredRun } from './answered-runs.js';
import { failure } from './failure.js';
import type { NodeSession } from './node-session.js';
import { Placement } from './placement.js';
import type { RoutineRecords } from './routine-records.js';
import { RunOutcomes } from './run-outcomes.js';
import type { RunRecord } from './run-record.js';
import { dropStreaming, SharedRuns } from './shared-runs.js';
import { NOT_WAITING } from './waiting-line.js';
import type { WorkerEntry } from './worker-entry.js';
import type { WorkerTable } from './worker-table.js';

interface RunLedgerParts {
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queuedRuns: number;
  readonly onQueue: (waiting: number) => void;
  /** A run was answered, or its outcome is kept no more. */
  readonly onFewer: () => void;
}

/** A report of a worker on one of its runs, to be passed on as it is. */
type Report = Extract<Directive, { readonly type: 'v1.routine.starting' | 'v1.routine.progress' | 'v1.log' }>;

/** Every run that was accepted, from the request until its requester has the outcome. */
export class RunLedger {
  readonly placement: Placement;
  readonly #parts: RunLedgerParts;
  /** Those that are not answered. */
  readonly #runs = new Map<string, RunRecord>();
  readonly #answered = new AnsweredRuns();
  readonly #shared = new SharedRuns();
  readonly #outcomes: RunOutcomes;
  #accepted = 0;

  constructor(parts: RunLedgerParts) {
    this.#parts = parts;
    this.placement = new Placement({
      workers: parts.workers,
      clock: parts.clock,
      queuedRuns: parts.queuedRuns,
      onQueue: parts.onQueue,
      onFailed: (record, error) => this.#outcomes.fail(record, toPlainError(error), false),
      onCancelled: (record, error) => this.#outcomes.fail(record, error, true),
    });
    this.#outcomes = new RunOutcomes({
      ...{ placement: this.placement, shared: this.#shared, answered: this.#answered },
      onAnswered: ({ request }) => {
        this.#runs.delete(request.runId);
        parts.onFewer();
      },
    });
  }

  /** Runs that are not answered. */
  get size(): number {
    return this.#runs.size;
  }

  /** Whether every run is answered, and every requester has the outcomes. */
  get isIdle(): boolean {
    return this.#runs.size === 0 && this.#answered.isEmpty;
  }

  /** Runs that are answered, but whose requesters have not acknowledged it. */
  get unacknowledged(): number {
    return this.#answered.size;
  }

  /** Those that are not answered, in the order of their acceptance. */
  get runs(): Iterable<RunRecord> {
    return this.#runs.values();
  }

  find(runId: string): RunRecord | undefined {
    return this.#runs.get(runId);
  }

  /** Somebody wants a run no more, whoever requested it. @returns whether it was in hand, and wanted until now. */
  cancelRun(runId: string, error: PlainError): boolean {
    const record = this.#runs.get(runId);
    if (!record || record.cancelled) return false;
    this.#outcomes.stop(record, error);
    return true;
  }

  /** A requested run. The same run again, from the same requester, is the same run: it may bring its arguments again. */
  request(requester: NodeSession, request: RequestStart, body: Body): void {
    const { runId, attempt } = request;
    const known = this.#runs.get(runId);
    if (known && known.requester !== requester) {
      dropBody(body);
      const error = new RoutineEngineError(
        'PROTOCOL_MALFORMED',
        `Run ${runId} was requested by another node`,
      );
      return requester.post(failure(runId, attempt, toPlainError(error), false));
    }
    // Who tries again has the outcome of the attempts before.
    if (known?.delivery && attempt > known.attempt) this.#outcomes.over(known);
    else if (known) return this.#requestedAgain(known, request, body);
    const answered = this.#answered.get(requester, runId);
    if (answered && attempt <= answered.attempt) return this.#answerAgain(requester, request, body, answered);
    this.#answered.forget(requester, runId);
    const record = this.#take(requester, request, body);
    if (!record) return;
    if (this.#shared.join(record)) this.placement.follow(record);
    else this.placement.accept(record);
  }

  /** The requester wants a run no more. */
  cancel(requester: NodeSession, cancel: CancelRun): void {
    const record = this.#runs.get(cancel.runId);
    if (record?.requester === requester) this.#outcomes.stop(record, cancel.error);
    else this.#answered.forget(requester, cancel.runId);
  }

  /** The requester has the outcomes of runs. */
  acknowledged(requester: NodeSession, { runs }: AcknowledgeRuns): void {
    for (const { runId, attempt } of runs) {
      const record = this.#runs.get(runId);
      if (record?.requester === requester && record.delivery && record.attempt === attempt)
        this.#outcomes.over(record);
      this.#answered.acknowledge(requester, runId, attempt);
    }
    this.#parts.onFewer();
  }

  /** A worker tells of one of its runs. */
  report(node: NodeSession, report: Report): void {
    const record = this.#held(node, report);
    if (!record) return;
    if (report.type === 'v1.routine.starting') record.started = true;
    this.#passOn(record, report);
  }

  /** A run gave a value. It is answered when all of its bytes have gone through. */
  completed(node: NodeSession, report: RunCompletes, body: Body | undefined): void {
    const record = this.#held(node, report);
    if (record) return this.#outcomes.completed(record, report, body);
    dropBody(body);
    node.acknowledge(report);
  }

  /** A run failed, or its worker could not take or keep it: then it is placed elsewhere. */
  failed(node: NodeSession, report: RunFails): void {
    const record = this.#held(node, report);
    if (record) return this.#outcomes.failed(record, report);
    if (report.again === 'no') node.acknowledge(report);
  }

  hangs(node: NodeSession, report: RunHangs): void {
    const record = this.#held(node, report);
    if (!record) return;
    this.placement.setHanging(record, report.waits);
    if (report.waits) this.placement.fill();
  }

  /** A worker is gone: its runs are placed elsewhere. */
  workerLost(worker: WorkerEntry, error: Error): void {
    for (const record of [...worker.runs]) {
      // All of its result is here.
      if (record.delivery?.isWhole) continue;
      // Only one that computed, or sent its result, may have brought the worker down, not one that waited in its inbox or
      // for sub-runs.
      const isSuspect = record.started && (!record.hanging || record.delivery !== undefined);
      this.placement.again(record, toPlainError(error), isSuspect);
    }
    this.placement.fill();
  }

  /** A requester is gone: nobody waits for its runs. */
  requesterLost(requester: NodeSession, error: Error): void {
    const plain = toPlainError(error);
    for (const record of [...this.#runs.values()])
      // A trigger's run answers the end of another, and nobody waits for it.
      if (record.requester === requester && record.request.triggeredBy === undefined)
        this.#outcomes.stop(record, plain);
    this.#answered.requesterLost(requester);
    this.#parts.onFewer();
  }

  /** Accepts a run. @returns nothing when it can't be: then its requester was told why. */
  #take(requester: NodeSession, request: RequestStart, body: Body): RunRecord | undefined {
    const { runId, attempt } = request;
    try {
      const routineId = this.#parts.records.resolve(request.routineId, this.#parts.workers.offered);
      this.#accepted += 1;
      const record: RunRecord = {
        request: { ...request, routineId },
        body,
        requester,
        order: this.#accepted,
        attempt: Math.max(0, attempt - 1),
        lease: 0,
        downfalls: 0,
        expectedMs: 0,
        started: false,
        hanging: false,
        told: false,
        ...NOT_WAITING,
      };
      this.#runs.set(runId, record);
      return record;
    } catch (error) {
      dropBody(body);
      requester.post(failure(runId, attempt, toPlainError(error), false));
      return undefined;
    }
  }

  /** The arguments of a run that is held came again; else the body is a second one of the same. */
  #requestedAgain(record: RunRecord, { store, blobs }: RequestStart, body: Body): void {
    const { asked } = record;
    if (!asked) return dropBody(body);
    record.asked = undefined;
    if (asked === 'inline' && blobs) {
      dropBody(body);
      const message = `Run ${record.request.runId} was to be sent with all its bytes, and came without`;
      return this.#outcomes.fail(
        record,
        toPlainError(new RoutineEngineError('PROTOCOL_MALFORMED', message)),
        false,
      );
    }
    record.request = { ...record.request, store, blobs };
    record.body = body;
    this.placement.accept(record);
  }

  /** The requester has not got its outcome: it is had again from where it is kept, else the run is placed anew. */
  #answerAgain(requester: NodeSession, request: RequestStart, body: Body, answered: AnsweredRun): void {
    const { kept, failure: failed } = answered;
    if (failed) {
      dropBody(body);
      return requester.post(failed);
    }
    this.#answered.take(requester, request.runId);
    const record = this.#take(requester, request, body);
    if (!record) return;
    record.attempt = answered.attempt;
    const worker = kept && this.#parts.workers.get(kept.node);
    if (!kept || !worker) return this.placement.accept(record);
    dropStreaming(record);
    const leader = this.placement.holderOf(kept.lease);
    if (leader) return this.#shared.follow(record, leader);
    this.placement.bind(record, worker, kept);
    this.placement.setHanging(record, true);
    const { runId, attempt, lease } = kept;
    kept.node.post({ type: 'v1.routine.report_again', runId, attempt, lease });
  }

  /** Tells the requester, and those of equal calls, how a run goes on. */
  #passOn(record: RunRecord, report: Report): void {
    for (const { requester, request } of [record, ...(record.followers ?? [])])
      requester.post({ ...report, runId: request.runId, lease: 0 });
  }

  /** The run of a report, if its sender still holds the lease: late, doubled and forged reports are not listened to. */
  #held(node: NodeSession, report: RunHeader & { readonly type: string }): RunRecord | undefined {
    const record = this.placement.holderOf(report.lease);
    if (record?.worker?.node === node && !record.delivery) return record;
    this.#parts.logger.log('debug', `${report.type} of ${node.name} came without a valid lease`, {
      runId: report.runId,
    });
    return undefined;
  }
}
