import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { Directive, PlaceAgain, RunCompletes, RunFails } from '../protocol/directives.js';
import { startingFor } from '../protocol/forwarded.js';
import { isStreaming } from '../protocol/watched-body.js';
import type { AnsweredRuns } from './answered-runs.js';
import { Deliveries } from './deliveries.js';
import { failure } from './failure.js';
import type { Placement } from './placement.js';
import { executionOf, type RunRecord } from './run-record.js';
import { canRead, type SharedRuns } from './shared-runs.js';
import type { Speculation } from './speculation.js';
import type { WorkerEntry } from './worker-entry.js';

/** A report of a worker on one of its runs, to be passed on as it is. */
export type Report = Extract<
  Directive,
  { readonly type: 'v1.routine.starting' | 'v1.routine.progress' | 'v1.log' }
>;

interface RunOutcomesParts {
  readonly placement: Placement;
  readonly shared: SharedRuns;
  readonly answered: AnsweredRuns;
  readonly speculation: Speculation;
  /** The requester of a run was told its outcome. */
  readonly onAnswered: (record: RunRecord) => void;
}

/** How runs end, and who is told of it. */
export class RunOutcomes {
  readonly #placement: Placement;
  readonly #shared: SharedRuns;
  readonly #answered: AnsweredRuns;
  readonly #speculation: Speculation;
  readonly #onAnswered: (record: RunRecord) => void;
  readonly #deliveries = new Deliveries({
    onOver: (record) => this.over(record),
    onCut: (record, error) => this.#undelivered(record, error),
  });

  constructor(parts: RunOutcomesParts) {
    this.#placement = parts.placement;
    this.#shared = parts.shared;
    this.#answered = parts.answered;
    this.#speculation = parts.speculation;
    this.#onAnswered = parts.onAnswered;
  }

  /** A run gave a value. It is answered when all of its bytes have gone through. */
  completed(execution: RunRecord, report: RunCompletes, body: Body | undefined): void {
    const record = this.#speculation.decided(execution);
    if (record.worker) this.#learn(record.worker, record, report);
    if (body && isStreaming(body)) {
      // It still belongs to its worker, and takes no slot.
      this.#placement.setHanging(record, true);
      this.#deliveries.begin(record, report, body);
      return this.#placement.fill();
    }
    this.#tellCompleted(record, report, body);
    this.#placement.fill();
  }

  #tellCompleted(record: RunRecord, report: RunCompletes, body: Body | undefined): void {
    const followers = this.#shared.end(record);
    this.#deliveries.pass(record, report, body);
    // Most have none that follow.
    if (followers.length === 0) return this.#answer([record], record);
    const readers = followers.filter((follower) => canRead(follower, report));
    for (const reader of readers) this.#deliveries.pass(reader, report, body);
    this.#answer([record, ...readers], record);
    this.#handOver(followers.filter((follower) => !canRead(follower, report)));
  }

  /** A run failed, or its worker could not take or keep it: then it is placed elsewhere. */
  failed(record: RunRecord, report: RunFails): void {
    const { again, error, cancelled } = report;
    if (again !== 'no') return this.#gaveBack(record, again, error);
    if (record.first) return this.#secondFailed(record);
    if (cancelled && !record.cancelled && error.code === 'WORKER_LOST') {
      // Its requester was taken for gone, and is back: that it was cancelled for that is nothing to tell.
      record.worker?.node.acknowledge(executionOf(record));
      return this.#gaveBack(record, 'lost', error);
    }
    this.#speculation.ended(record);
    const followers = this.#shared.end(record);
    // That one is wanted no more says nothing of the others.
    const told = cancelled ? [record] : [record, ...followers];
    for (const each of told) {
      dropBody(each.body);
      each.requester.post(failure(each.request.runId, report.attempt, error, cancelled));
    }
    this.#answer(told, record);
    this.#handOver(cancelled ? followers : []);
    this.#placement.fill();
  }

  #gaveBack(record: RunRecord, again: Exclude<PlaceAgain, 'no'>, error: PlainError): void {
    const { worker } = record;
    this.#placement.release(record);
    if (worker) worker.refusing = again === 'busy';
    this.#speculation.again(record, error, again === 'busy' ? 'blameless' : again);
    this.#placement.fill();
  }

  /** The first goes on, and says how it ends. */
  #secondFailed(record: RunRecord): void {
    record.worker?.node.acknowledge(executionOf(record));
    this.#speculation.drop(record);
    this.#placement.fill();
  }

  #undelivered(record: RunRecord, error: unknown): void {
    const { worker } = record;
    // Told by the end of the connection, once and for all of its runs.
    if (!worker?.node.isConnected) return;
    const plain = toPlainError(error);
    // What is not as it says will not be another time; the requester hears the same.
    if (plain.code === 'BYTES_MALFORMED') return this.over(record);
    worker.node.acknowledge(executionOf(record));
    this.#speculation.again(record, plain, 'downfall');
    this.#placement.fill();
  }

  /** Tells the requester, and those of equal calls, how a run goes on. */
  tell(record: RunRecord, report: Report): void {
    // Of two executions the first is told of, as long as it is there.
    if (record.first) return;
    const { requester, request, followers } = record;
    requester.post(reportFor(request.runId, report));
    for (const follower of followers ?? [])
      follower.requester.post(reportFor(follower.request.runId, report));
  }

  /** Tells that a run is computing where it is now, once its body has begun there. */
  tellStarted(record: RunRecord): void {
    const { worker, started } = record;
    if (!worker || !started) return;
    this.tell(record, { type: 'v1.routine.starting', ...executionOf(record), worker: worker.node.name });
  }

  /** Nobody has to do with a run any more. Those that followed it go on. */
  drop(record: RunRecord): void {
    const followers = this.#shared.end(record);
    this.#shared.leave(record);
    this.#placement.withdraw(record);
    this.#placement.release(record);
    this.#onAnswered(record);
    dropBody(record.body);
    this.#handOver(followers);
    this.#placement.fill();
  }

  /** A run is wanted no more. */
  stop(record: RunRecord, error: PlainError): void {
    const { worker, delivery } = record;
    record.cancelled = error;
    this.#speculation.ended(record);
    if (record.leader) {
      this.#shared.leave(record);
      return this.fail(record, error, true);
    }
    if (worker && delivery) {
      worker.node.acknowledge(executionOf(record));
      this.#placement.release(record);
      this.fail(record, error, true);
      delivery.stop(fromPlainError(error));
      return this.#placement.fill();
    }
    if (worker) {
      const heir = this.#shared.succeed(record);
      if (!heir) {
        worker.node.post({ type: 'v1.routine.cancel', ...executionOf(record), error });
        return;
      }
      this.#placement.transfer(record, heir);
    }
    this.#placement.withdraw(record);
    this.fail(record, error, true);
  }

  /** The outcome of a run has gone through to its requester. */
  over(record: RunRecord): void {
    const followers = this.#shared.end(record);
    this.#answer([record], record);
    this.#handOver(followers);
    this.#placement.fill();
  }

  #learn(worker: WorkerEntry, { request }: RunRecord, report: RunCompletes): void {
    worker.learnDuration(request.routineId, report.durationMs);
    this.#placement.holdings.made(worker, report);
  }

  /** Those who asked for a run were told its outcome, which its worker keeps until they have it. */
  #answer(told: readonly RunRecord[], record: RunRecord): void {
    const { worker } = record;
    const execution = executionOf(record);
    this.#placement.release(record);
    for (const each of told) this.#onAnswered(each);
    if (worker) this.#answered.keepAt(told, execution.attempt, worker.node, execution);
  }

  /** A run came to nothing, and no worker has to do with it any more. */
  fail(record: RunRecord, error: PlainError, cancelled: boolean): void {
    const followers = this.#shared.end(record);
    this.#tellFailure(record, error, cancelled);
    // It would bring down workers for the others as well; any other failure is that of this request alone.
    if (error.code !== 'RUN_POISONED') return this.#handOver(followers);
    for (const follower of followers) this.#tellFailure(follower, error, false);
  }

  #tellFailure(record: RunRecord, error: PlainError, cancelled: boolean): void {
    const { request, requester, attempt } = record;
    this.#onAnswered(record);
    dropBody(record.body);
    const failed = failure(request.runId, Math.max(attempt, request.attempt), error, cancelled);
    requester.post(failed);
    // Also that it was cancelled, which another node may have done.
    this.#answered.keepFailure(requester, failed);
  }

  /** Has done what followed a run that gave it nothing: the first leads now, and the others follow it. */
  #handOver(followers: readonly RunRecord[]): void {
    for (const follower of followers) if (!this.#shared.join(follower)) this.#placement.accept(follower);
  }
}

function reportFor(runId: string, report: Report): Report {
  return report.type === 'v1.routine.starting' ? startingFor(runId, report) : { ...report, runId, lease: 0 };
}
