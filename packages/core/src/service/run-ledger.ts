import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type {
  AcknowledgeRuns,
  CancelRun,
  HeldRun,
  ObserveRun,
  RequestStart,
  RunCompletes,
  RunFails,
  RunHangs,
  RunHeader,
} from '../protocol/directives.js';
import { AnsweredRuns } from './answered-runs.js';
import type { DetachedRun } from './detached-run.js';
import { DetachedRuns } from './detached-runs.js';
import type { HeartbeatLimits } from './heartbeats.js';
import type { NodeSession } from './node-session.js';
import { Placement } from './placement.js';
import type { RoutineRecords } from './routine-records.js';
import { Recovery } from './recovery.js';
import { RunOutcomes, type Report } from './run-outcomes.js';
import { assertExecution, type RunRecord } from './run-record.js';
import { RunRequests } from './run-requests.js';
import { SharedRuns } from './shared-runs.js';
import { Speculation } from './speculation.js';
import type { WorkerEntry } from './worker-entry.js';
import { WorkerResync } from './worker-resync.js';
import type { WorkerTable } from './worker-table.js';

interface RunLedgerParts {
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly queuedRuns: number;
  readonly maxDeliveries: number;
  readonly onQueue: (waiting: number) => void;
  /** A run was answered, or its outcome is kept no more. */
  readonly onFewer: () => void;
  /** How long nodes are waited for that may come back. */
  readonly limits: Required<HeartbeatLimits>;
}

/** Every run that was accepted, from the request until its requester has the outcome. */
export class RunLedger {
  readonly placement: Placement;
  readonly #parts: RunLedgerParts;
  /** Those that are not answered. */
  readonly #runs = new Map<string, RunRecord>();
  readonly #answered = new AnsweredRuns();
  readonly #shared = new SharedRuns();
  readonly #detached: DetachedRuns;
  readonly #speculation: Speculation;
  readonly #outcomes: RunOutcomes;
  readonly #recovery: Recovery;
  readonly #resync: WorkerResync;
  readonly #requests: RunRequests;

  constructor(parts: RunLedgerParts) {
    this.#parts = parts;
    this.placement = new Placement({
      workers: parts.workers,
      clock: parts.clock,
      queuedRuns: parts.queuedRuns,
      maxDeliveries: parts.maxDeliveries,
      onQueue: parts.onQueue,
      onFailed: (record, error) => this.#notPlaced(record, error),
      onCancelled: (record, error) => this.#outcomes.fail(record, error, true),
    });
    this.#speculation = new Speculation({
      ...{ placement: this.placement, clock: parts.clock },
      onReplaced: (record) => this.#outcomes.tellStarted(record),
    });
    this.#outcomes = new RunOutcomes({
      ...{ placement: this.placement, shared: this.#shared, answered: this.#answered },
      speculation: this.#speculation,
      onAnswered: (record) => this.#forget(record),
    });
    const { clock, limits, workers, records } = parts;
    this.#detached = new DetachedRuns(clock);
    this.#recovery = new Recovery({
      ...{ clock, workersBackMs: limits.leaseMs, unclaimedMs: limits.clientLeaseMs },
      onNotFound: (record) => this.#requests.notFound(record),
      onOver: () => this.#detached.expectNoMore(),
    });
    this.#resync = new WorkerResync({
      ...{ runs: this.#runs, placement: this.placement, answered: this.#answered },
      ...{ outcomes: this.#outcomes, recovery: this.#recovery, speculation: this.#speculation },
      onFound: (record) => this.#requests.found(record),
      onDetached: (hold, known) => this.#takeUp(hold, known),
    });
    this.#requests = new RunRequests({
      ...{ runs: this.#runs, placement: this.placement, answered: this.#answered, shared: this.#shared },
      ...{ outcomes: this.#outcomes, recovery: this.#recovery, resync: this.#resync, workers, records },
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

  /** Whether a node asked for runs, or has not acknowledged all that it was told. */
  isRequester(node: NodeSession): boolean {
    return node.openRuns > 0 || this.#answered.has(node);
  }

  /** Detached runs that are over, or whose results are still being read, as long as they are known. */
  get detachedAtEnd(): Iterable<DetachedRun> {
    return [...this.#detached.all].filter(({ request }) => !this.#runs.has(request.runId));
  }

  findDetached(runId: string): DetachedRun | undefined {
    return this.#detached.find(runId);
  }

  close(): void {
    this.placement.close();
    this.#detached.close();
    this.#speculation.close();
    this.#recovery.close();
  }

  /** A requested run. */
  request(requester: NodeSession, request: RequestStart, body: Body | undefined): void {
    if (!request.detached) return this.#requests.request(requester, request, body);
    const run = this.#detached.take(request, requester);
    const { runId, attempt } = request;
    requester.post({ type: 'v1.routine.accepted', runId, attempt, lease: 0 });
    if (run.outcome && attempt > run.outcome.directive.attempt) this.#detached.restart(run);
    this.#detached.observe(requester, run);
    // It is over, or about to be: all of its result has come.
    if (run.outcome || (run.isArriving && !this.#runs.has(runId))) return dropBody(body);
    this.#requests.request(run, request, body);
  }

  /** A node wants to hear of a detached run. */
  observe(node: NodeSession, asked: ObserveRun): void {
    const run = this.#detached.find(asked.runId);
    if (run) this.#detached.observe(node, run);
    else this.#detached.miss(node, asked, this.#recovery.expects());
  }

  /** The requester wants a run no more. */
  cancel(requester: NodeSession, cancel: CancelRun): void {
    const record = this.#runs.get(cancel.runId);
    if (record && (record.requester === requester || record.request.detached))
      this.#outcomes.stop(record, cancel.error);
    else this.#answered.forget(requester, cancel.runId);
  }

  /** The requester has the outcomes of runs. */
  acknowledged(requester: NodeSession, { runs }: AcknowledgeRuns): void {
    for (const { runId, attempt } of runs) {
      const record = this.#runs.get(runId);
      // Also when its worker was asked to report again, since the requester had it already. Not a retry that waits, whose
      // attempts count on from the one that is acknowledged.
      const isOfThis = record?.attempt === attempt && attempt >= record.request.attempt;
      if (record?.requester === requester && isOfThis) this.#outcomes.over(record);
      this.#answered.acknowledge(requester, runId, attempt);
    }
    this.#parts.onFewer();
  }

  /** A worker tells of one of its runs. */
  report(node: NodeSession, report: Report): void {
    const record = this.#held(node, report);
    if (!record) {
      if (report.type === 'v1.routine.starting') this.#recovery.told(node, report, 'running');
      return;
    }
    if (report.type === 'v1.routine.starting') {
      record.started = true;
      this.#speculation.begun(record);
    }
    this.#outcomes.tell(record, report);
  }

  /** A run gave a value. It is answered when all of its bytes have gone through. */
  completed(node: NodeSession, report: RunCompletes, body: Body | undefined): void {
    const record = this.#held(node, report);
    if (record) return this.#outcomes.completed(record, report, body);
    dropBody(body);
    if (!this.#recovery.told(node, report, 'finished')) node.acknowledge(report);
  }

  /** A run failed, or its worker could not take or keep it: then it is placed elsewhere. */
  failed(node: NodeSession, report: RunFails): void {
    const record = this.#held(node, report);
    if (record) return this.#outcomes.failed(record, report);
    const isKept = report.again === 'no';
    if (!this.#recovery.told(node, report, isKept ? 'finished' : undefined) && isKept)
      node.acknowledge(report);
  }

  hangs(node: NodeSession, report: RunHangs): void {
    const record = this.#held(node, report);
    if (!record) return void this.#recovery.told(node, report, report.waits ? 'hanging' : 'running');
    this.placement.setHanging(record, report.waits);
    if (report.waits) this.placement.fill();
  }

  /** A node that came back has asked again for all that it still wants. */
  resynced(requester: NodeSession): void {
    const message = `${requester.name} came back, and did not ask for it again`;
    const unwanted = toPlainError(new RoutineEngineError('RUN_CANCELLED', message));
    this.#stopAll(
      requester,
      unwanted,
      ({ askedIn, cancelled }) => askedIn !== requester.connections && !cancelled,
    );
    this.#answered.forgetEarlier(requester);
    this.#parts.onFewer();
  }

  /** A worker has told what it holds, and takes runs. */
  workerReady(worker: WorkerEntry, holds: readonly HeldRun[]): void {
    this.#resync.ready(worker, holds);
    this.placement.fill();
  }

  /** A worker is gone: its runs are placed elsewhere. */
  workerLost(worker: WorkerEntry, error: Error): void {
    this.#recovery.forgetWorker(worker);
    for (const record of [...worker.runs]) {
      // All of its result is here.
      if (record.delivery?.isWhole) continue;
      // Only one that computed, or sent its result, may have brought the worker down, not one that waited in its inbox or
      // for sub-runs.
      const isSuspect = record.started && (!record.hanging || record.delivery !== undefined);
      this.#speculation.again(record, toPlainError(error), isSuspect ? 'downfall' : 'blameless');
    }
    this.placement.fill();
  }

  /** A requester is gone: nobody waits for its runs. */
  requesterLost(requester: NodeSession, error: Error): void {
    this.#stopAll(requester, toPlainError(error), () => true);
    this.#answered.requesterLost(requester);
    this.#detached.nodeLost(requester);
    this.#parts.onFewer();
  }

  /** A worker holds a detached run that this service was never asked for, or that an earlier one was. */
  #takeUp({ runId, attempt }: HeldRun, known: NonNullable<HeldRun['detached']>): void {
    const run = this.#detached.take({ runId, ...known }, undefined);
    const header = { type: 'v1.routine.request_start', runId, attempt, lease: 0 } as const;
    this.#requests.request(run, { ...header, ...known, detached: true, resumed: true }, undefined);
  }

  #stopAll(requester: NodeSession, error: PlainError, isMeant: (record: RunRecord) => boolean): void {
    if (requester.openRuns === 0) return;
    for (const record of [...this.#runs.values()]) {
      if (record.requester !== requester || !isMeant(record)) continue;
      // A trigger's run answers the end of another, and nobody waits for it.
      if (record.request.triggeredBy === undefined) this.#outcomes.stop(record, error);
    }
  }

  #notPlaced(record: RunRecord, error: Error): void {
    if (record.first) this.#speculation.drop(record);
    else this.#outcomes.fail(record, toPlainError(error), false);
  }

  #forget(record: RunRecord): void {
    if (this.#runs.get(record.request.runId) !== record) return;
    this.#runs.delete(record.request.runId);
    record.requester.openRuns -= 1;
    this.#speculation.ended(record);
    this.#recovery.forget(record);
    this.#parts.onFewer();
  }

  /** The run of a report, if its sender still holds the lease: late, doubled and forged reports are not listened to. */
  #held(node: NodeSession, report: RunHeader & { readonly type: string }): RunRecord | undefined {
    const record = this.placement.holderOf(report.lease);
    if (record?.worker?.node === node && !record.delivery) {
      assertExecution(record, report);
      return record;
    }
    this.#parts.logger.log('debug', `${report.type} of ${node.name} came without a valid lease`, {
      runId: report.runId,
    });
    return undefined;
  }
}
