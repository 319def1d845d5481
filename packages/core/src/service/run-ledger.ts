import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type {
  CancelRun,
  Directive,
  RequestStart,
  RunCompletes,
  RunFails,
  RunHangs,
  RunHeader,
} from '../protocol/directives.js';
import { isStreaming, WatchedBody } from '../protocol/watched-body.js';
import { failure } from './failure.js';
import type { NodeSession } from './node-session.js';
import { Placement } from './placement.js';
import type { RoutineRecords } from './routine-records.js';
import type { RunRecord } from './run-record.js';
import { canRead, dropStreaming, SharedRuns } from './shared-runs.js';
import { learnDuration, type WorkerEntry, type WorkerTable } from './worker-table.js';

interface RunLedgerParts {
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onQueue: (waiting: number) => void;
}

/** A report of a worker on one of its runs, to be passed on as it is. */
type Report = Extract<Directive, { readonly type: 'v1.routine.starting' | 'v1.routine.progress' | 'v1.log' }>;

/** Every run that was accepted and is not over, from the request to its answer. */
export class RunLedger {
  readonly placement: Placement;
  readonly #parts: RunLedgerParts;
  readonly #runs = new Map<string, RunRecord>();
  readonly #shared = new SharedRuns();
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

  /** A requested run. The same run again, from the same requester, is the same run: it may bring its arguments again. */
  request(requester: NodeSession, request: RequestStart, body: Body): void {
    const known = this.#runs.get(request.runId);
    if (known?.requester === requester) return this.#requestedAgain(known, request, body);
    const refuse = (error: Error): void => {
      dropBody(body);
      requester.post(failure(request.runId, request.attempt, toPlainError(error), false));
    };
    if (known) {
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
        attempt: Math.max(0, request.attempt - 1),
        lease: 0,
        downfalls: 0,
        expectedMs: 0,
        started: false,
        hanging: false,
        told: false,
      };
      this.#runs.set(request.runId, record);
      if (this.#shared.join(record)) dropStreaming(record);
      else this.placement.accept(record);
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
  report(node: NodeSession, report: Report): void {
    const record = this.#held(node, report);
    if (!record) return;
    if (report.type === 'v1.routine.starting') record.started = true;
    this.#passOn(record, report);
  }

  /** A run gave a value. It is over when all of its bytes have gone through. */
  completed(node: NodeSession, report: RunCompletes, body: Body | undefined): void {
    const record = this.#held(node, report);
    if (!record) return dropBody(body);
    if (record.worker) learnDuration(record.worker, record.request.routineId, report.durationMs);
    if (body && isStreaming(body)) return this.#deliver(node, record, report, body);
    const followers = this.#shared.end(record);
    for (const each of [record, ...followers]) {
      if (each !== record && !canRead(each, report)) continue;
      this.#answer(each, report, body && this.#watched(each, body));
      this.#runs.delete(each.request.runId);
    }
    this.#finish(node, record);
    this.#handOver(followers.filter((follower) => !canRead(follower, report)));
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
    const followers = this.#shared.end(record);
    // That one is wanted no more says nothing of the others.
    const others = report.cancelled ? followers : [];
    if (others.length === 0) this.#failFollowers(followers, error);
    record.requester.post({ ...report, lease: 0 });
    this.#finish(node, record);
    this.#handOver(others);
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

  /** The arguments of a run that is held came again; else the body is a second one of the same. */
  #requestedAgain(record: RunRecord, { store, blobs }: RequestStart, body: Body): void {
    const { asked } = record;
    if (!asked) return dropBody(body);
    record.asked = undefined;
    if (asked === 'inline' && blobs) {
      dropBody(body);
      const message = `Run ${record.request.runId} was to be sent with all its bytes, and came without`;
      return this.#fail(record, toPlainError(new RoutineEngineError('PROTOCOL_MALFORMED', message)), false);
    }
    record.request = { ...record.request, store, blobs };
    record.body = body;
    this.placement.accept(record);
  }

  /** Passes a result on as it comes. Meanwhile the run still belongs to its worker, and takes no slot. */
  #deliver(node: NodeSession, record: RunRecord, report: RunCompletes, body: Body): void {
    const ifCurrent = (act: () => void) => (): void => {
      if (record.delivery === delivery) act();
    };
    const delivery = new WatchedBody(body, {
      onEnd: ifCurrent(() => this.#finish(node, record)),
      // The requester had enough of it: nothing else will ever be wanted.
      onGivenUp: ifCurrent(() => this.#finish(node, record)),
      onFailed: (error) => ifCurrent(() => this.#undelivered(node, record, error))(),
    });
    record.delivery = delivery;
    this.placement.setHanging(record, true);
    this.#answer(record, report, delivery);
    this.placement.fill();
  }

  /** A result of a worker in this process. Its parts in a store may be gone by the time that they are sent from here. */
  #watched({ requester, request, attempt }: RunRecord, body: Body): Body {
    if (body.parts) return body;
    return new WatchedBody(body, {
      onFailed: (error) => requester.post(failure(request.runId, attempt, toPlainError(error), false)),
    });
  }

  /** Passes a result on. When that can't be sent, the requester hears why. */
  #answer({ requester, request, attempt }: RunRecord, report: RunCompletes, body: Body | undefined): void {
    const { runId } = request;
    requester.post({ ...report, runId, lease: 0 }, body, (error) =>
      requester.post(failure(runId, attempt, toPlainError(error), false)),
    );
  }

  #undelivered(node: NodeSession, record: RunRecord, error: unknown): void {
    // Told by the end of the connection, once and for all of its runs.
    if (!node.isConnected) return;
    const plain = toPlainError(error);
    // What is not as it says will not be another time; the requester hears the same.
    if (plain.code === 'BYTES_MALFORMED') return this.#finish(node, record);
    this.placement.again(record, plain, true);
    this.placement.fill();
  }

  #stop(record: RunRecord, cancel: CancelRun): void {
    const { worker, delivery } = record;
    record.cancelled = cancel.error;
    if (record.leader) {
      this.#shared.leave(record);
      return this.#fail(record, cancel.error, true);
    }
    if (worker && delivery) {
      this.#finish(worker.node, record);
      delivery.stop(fromPlainError(cancel.error));
      return record.requester.post(failure(record.request.runId, record.attempt, cancel.error, true));
    }
    if (worker) {
      worker.node.post({ ...cancel, attempt: record.attempt, lease: record.lease });
      return;
    }
    this.placement.withdraw(record);
    this.#fail(record, cancel.error, true);
  }

  #finish(node: NodeSession, record: RunRecord): void {
    const { attempt, lease } = record;
    const { runId } = record.request;
    const followers = this.#shared.end(record);
    node.post({ type: 'v1.routine.ack', runId, attempt, lease });
    this.placement.release(record);
    this.#runs.delete(runId);
    this.#handOver(followers);
    this.placement.fill();
  }

  #fail(record: RunRecord, error: PlainError, cancelled: boolean): void {
    const { runId } = record.request;
    const followers = this.#shared.end(record);
    this.#runs.delete(runId);
    dropBody(record.body);
    record.requester.post(failure(runId, record.attempt, error, cancelled));
    // It would bring down workers for the others as well; any other failure is that of this request alone.
    if (error.code === 'RUN_POISONED') this.#failFollowers(followers, error);
    else this.#handOver(followers);
  }

  #failFollowers(followers: readonly RunRecord[], error: PlainError): void {
    for (const follower of followers) {
      const { runId } = follower.request;
      this.#runs.delete(runId);
      dropBody(follower.body);
      follower.requester.post(failure(runId, follower.attempt, error, false));
    }
  }

  /** Has done what followed a run that gave it nothing: the first leads now, and the others follow it. */
  #handOver(followers: readonly RunRecord[]): void {
    for (const follower of followers) if (!this.#shared.join(follower)) this.placement.accept(follower);
  }

  /** Tells the requester, and those of equal calls, how a run goes on. */
  #passOn(record: RunRecord, report: Report): void {
    record.requester.post({ ...report, lease: 0 });
    for (const { requester, request } of record.followers ?? [])
      requester.post({ ...report, runId: request.runId, lease: 0 });
  }

  /** The run of a report, if its sender still holds the lease: late, doubled and forged reports are not listened to. */
  #held(node: NodeSession, report: RunHeader & { readonly type: string }): RunRecord | undefined {
    const record = this.#runs.get(report.runId);
    const isHeld = record?.worker?.node === node && record.lease === report.lease;
    if (record && isHeld && !record.delivery) return record;
    this.#parts.logger.log('debug', `${report.type} of ${node.name} came without a valid lease`, {
      runId: report.runId,
    });
    return undefined;
  }
}
