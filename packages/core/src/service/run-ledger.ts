import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type {
  CancelRun,
  Directive,
  RequestStart,
  RunFails,
  RunHangs,
  RunHeader,
} from '../protocol/directives.js';
import type { NodeSession } from './node-session.js';
import { Placement } from './placement.js';
import type { RoutineRecords } from './routine-records.js';
import type { RunRecord } from './run-record.js';
import { learnDuration, type WorkerEntry, type WorkerTable } from './worker-table.js';

interface RunLedgerParts {
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onQueue: (waiting: number) => void;
}

/** A report of a worker on one of its runs, to be passed on as it is. */
type Report = Extract<
  Directive,
  { readonly type: 'v1.routine.starting' | 'v1.routine.progress' | 'v1.log' | 'v1.routine.completed' }
>;

/** Every run that was accepted and is not over, from the request to its answer. */
export class RunLedger {
  readonly placement: Placement;
  readonly #parts: RunLedgerParts;
  readonly #runs = new Map<string, RunRecord>();
  #accepted = 0;

  constructor(parts: RunLedgerParts) {
    this.#parts = parts;
    this.placement = new Placement({
      workers: parts.workers,
      clock: parts.clock,
      onQueue: parts.onQueue,
      onFailed: (record, error) => this.#fail(record, toPlainError(error), false),
      onCancelled: (record, error) => this.#fail(record, error, true),
    });
  }

  get size(): number {
    return this.#runs.size;
  }

  /** A requested run. The same run again, from the same requester, is the same run. */
  request(requester: NodeSession, request: RequestStart, body: Body): void {
    const known = this.#runs.get(request.runId);
    const refuse = (error: Error): void =>
      requester.post(failure(request.runId, 1, toPlainError(error), false));
    if (known) {
      if (known.requester === requester) return;
      return refuse(
        new RoutineEngineError('PROTOCOL_MALFORMED', `Run ${request.runId} was requested by another node`),
      );
    }
    try {
      const routineId = this.#parts.records.resolve(request.routineId, this.#parts.workers.offered);
      this.#accepted += 1;
      const record: RunRecord = {
        request: { ...request, routineId },
        body,
        requester,
        order: this.#accepted,
        attempt: 0,
        lease: 0,
        downfalls: 0,
        expectedMs: 0,
        started: false,
        hanging: false,
        told: false,
      };
      this.#runs.set(request.runId, record);
      this.placement.accept(record);
    } catch (error) {
      refuse(error as Error);
    }
  }

  /** The requester wants a run no more. */
  cancel(requester: NodeSession, cancel: CancelRun): void {
    const record = this.#runs.get(cancel.runId);
    if (record?.requester !== requester) return;
    this.#stop(record, cancel);
  }

  /** A worker tells of one of its runs. */
  report(node: NodeSession, report: Report, body: Body | undefined): void {
    const record = this.#held(node, report);
    if (!record) return;
    record.requester.post({ ...report, lease: 0 }, body);
    if (report.type === 'v1.routine.starting') record.started = true;
    if (report.type !== 'v1.routine.completed') return;
    if (record.worker) learnDuration(record.worker, record.request.routineId, report.durationMs);
    this.#finish(node, record);
  }

  hangs(node: NodeSession, report: RunHangs): void {
    const record = this.#held(node, report);
    if (!record) return;
    this.placement.setHanging(record, report.waits);
    if (report.waits) this.placement.fill();
  }

  /** A run failed, or its worker could not take or keep it: then it is placed elsewhere. */
  failed(node: NodeSession, report: RunFails): void {
    const record = this.#held(node, report);
    if (!record) return;
    const { again, error } = report;
    if (again !== 'no') {
      const { worker } = record;
      this.placement.release(record);
      if (worker) worker.refusing = again === 'busy';
      this.placement.again(record, error, again === 'downfall');
      return this.placement.fill();
    }
    record.requester.post({ ...report, lease: 0 });
    this.#finish(node, record);
  }

  /** A worker is gone: its runs are placed elsewhere. */
  workerLost(worker: WorkerEntry, error: Error): void {
    for (const record of [...worker.runs]) {
      // Only one that computed may have brought the worker down, not one that waited in its inbox or for sub-runs.
      this.placement.again(record, toPlainError(error), record.started && !record.hanging);
    }
    this.placement.fill();
  }

  /** A requester is gone: nobody waits for its runs. */
  requesterLost(requester: NodeSession, error: Error): void {
    for (const record of [...this.#runs.values()]) {
      if (record.requester !== requester) continue;
      const { runId } = record.request;
      this.#stop(record, {
        type: 'v1.routine.cancel',
        runId,
        attempt: 0,
        lease: 0,
        error: toPlainError(error),
      });
    }
  }

  #stop(record: RunRecord, cancel: CancelRun): void {
    record.cancelled = cancel.error;
    if (record.worker) {
      record.worker.node.post({ ...cancel, attempt: record.attempt, lease: record.lease });
      return;
    }
    this.placement.withdraw(record);
    this.#fail(record, cancel.error, true);
  }

  #finish(node: NodeSession, record: RunRecord): void {
    const { attempt, lease } = record;
    const { runId } = record.request;
    node.post({ type: 'v1.routine.ack', runId, attempt, lease });
    this.placement.release(record);
    this.#runs.delete(runId);
    this.placement.fill();
  }

  #fail(record: RunRecord, error: PlainError, cancelled: boolean): void {
    const { runId } = record.request;
    this.#runs.delete(runId);
    record.requester.post(failure(runId, record.attempt, error, cancelled));
  }

  /** The run of a report, if its sender still holds the lease: late, doubled and forged reports are not listened to. */
  #held(node: NodeSession, report: RunHeader & { readonly type: string }): RunRecord | undefined {
    const record = this.#runs.get(report.runId);
    if (record?.worker?.node === node && record.lease === report.lease) return record;
    this.#parts.logger.log('debug', `${report.type} of ${node.name} came without a valid lease`, {
      runId: report.runId,
    });
    return undefined;
  }
}

function failure(runId: string, attempt: number, error: PlainError, cancelled: boolean): RunFails {
  return { type: 'v1.routine.failed', runId, attempt, lease: 0, cancelled, again: 'no', error };
}
