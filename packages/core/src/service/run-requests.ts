import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { RequestStart } from '../protocol/directives.js';
import { startingFor } from '../protocol/forwarded.js';
import type { AnsweredRun, AnsweredRuns } from './answered-runs.js';
import { failure } from './failure.js';
import type { Placement } from './placement.js';
import { cancelStale, type Recovery } from './recovery.js';
import type { RoutineRecords } from './routine-records.js';
import type { RunOutcomes } from './run-outcomes.js';
import { executionOf, type RunRecord } from './run-record.js';
import type { RunRequester } from './run-requester.js';
import type { SharedRuns } from './shared-runs.js';
import type { WorkerResync } from './worker-resync.js';
import type { WorkerTable } from './worker-table.js';

interface RunRequestsParts {
  /** Runs that are not answered. */
  readonly runs: Map<string, RunRecord>;
  readonly placement: Placement;
  readonly answered: AnsweredRuns;
  readonly shared: SharedRuns;
  readonly outcomes: RunOutcomes;
  readonly recovery: Recovery;
  readonly resync: WorkerResync;
  readonly workers: WorkerTable;
  readonly records: RoutineRecords;
}

/** Takes requests in: new ones, those that are made again after a loss, and arguments that were asked for. */
export class RunRequests {
  readonly #parts: RunRequestsParts;
  #accepted = 0;

  constructor(parts: RunRequestsParts) {
    this.#parts = parts;
  }

  /**
   * A requested run; `resumed`: one that was requested before, by a node that lost its connection since.
   * @param body - the arguments; a run that is resumed comes without.
   */
  request(requester: RunRequester, request: RequestStart, body: Body | undefined): void {
    const { runId, attempt, resumed } = request;
    const known = this.#parts.runs.get(runId);
    if (known?.requester.isGone && !known.cancelled) giveTo(requester, known);
    if (known && known.requester !== requester && !known.requester.isGone) {
      dropBody(body);
      const message = `Run ${runId} was requested by another node`;
      const error = new RoutineEngineError('PROTOCOL_MALFORMED', message);
      return requester.post(failure(runId, attempt, toPlainError(error), false));
    }
    // It was given up with its requester, who is back after all.
    if (known?.requester.isGone) this.#parts.outcomes.drop(known);
    // Who tries again has the outcome of the attempts before.
    else if (known?.delivery && attempt > known.attempt) this.#parts.outcomes.over(known);
    else if (known) return this.#requestedAgain(known, request, body);
    const answered = this.#parts.answered.get(requester, runId);
    if (answered && resumed && attempt <= answered.attempt)
      return this.#answerAgain(requester, request, answered);
    // Its arguments, which were asked for, crossed with the news that it is cancelled: nobody tries that again.
    if (answered?.failure?.cancelled && !resumed) return dropBody(body);
    this.#parts.answered.forget(requester, runId);
    const record = this.#take(requester, request, body);
    if (!record) return;
    if (answered) record.attempt = Math.max(record.attempt, answered.attempt);
    if (resumed) this.#resume(record);
    else this.#accept(record);
  }

  /** Accepts a run. @returns nothing when it can't be: then its requester was told why. */
  #take(requester: RunRequester, request: RequestStart, body: Body | undefined): RunRecord | undefined {
    const { runId, attempt, startedOn, resumed } = request;
    try {
      const routineId = this.#resolve(request.routineId, resumed);
      const isAsItIs = routineId === request.routineId && resumed === undefined;
      this.#accepted += 1;
      // For each run: what is spread here would cost more than all the rest.
      const record: RunRecord = {
        request: isAsItIs ? request : { ...request, routineId, resumed: undefined },
        body,
        requester,
        askedIn: requester.connections,
        isTakenIn: resumed === true,
        order: this.#accepted,
        // An attempt that began is over, unless somebody has it in hand.
        attempt: startedOn === undefined ? Math.max(0, attempt - 1) : attempt,
        lease: 0,
        downfalls: 0,
        losses: 0,
        expectedMs: 0,
        started: false,
        hanging: false,
        told: false,
        turn: 0,
        line: undefined,
        before: undefined,
        behind: undefined,
        heapIndex: -1,
      };
      this.#parts.runs.set(runId, record);
      requester.openRuns += 1;
      return record;
    } catch (error) {
      dropBody(body);
      requester.post(failure(runId, attempt, toPlainError(error), false));
      return undefined;
    }
  }

  /** The full id; of a request that is resumed it may have to wait for workers to come back, and stay as it is till then. */
  #resolve(routineId: string, resumed: boolean | undefined): string {
    const { records, workers, recovery } = this.#parts;
    try {
      return records.resolve(routineId, workers.offered);
    } catch (error) {
      const isUnknown = error instanceof RoutineEngineError && error.code === 'ROUTINE_UNKNOWN';
      if (isUnknown && resumed && recovery.isWaiting) return routineId;
      throw error;
    }
  }

  #accept(record: RunRecord): void {
    const { shared, placement } = this.#parts;
    if (shared.join(record)) placement.follow(record);
    else placement.accept(record);
  }

  /** A run that was requested of a service that may have been another one: some worker may have it in hand. */
  #resume(record: RunRecord): void {
    const { runId, attempt } = record.request;
    const { recovery, shared, resync } = this.#parts;
    const unclaimed = recovery.claim(runId, attempt);
    const follows = shared.join(record);
    if (follows) this.#parts.placement.follow(record);
    if (unclaimed && !resync.adopt(record, unclaimed)) cancelStale(unclaimed.worker, unclaimed.hold);
    // Found, but not to go on: it is over.
    const isOver = this.#parts.runs.get(runId) !== record;
    if (!follows && !isOver && !record.worker && !recovery.wait(record)) this.notFound(record);
  }

  /** A worker came back with a run that was resumed: now it is known what its id stands for. @returns whether it goes on. */
  found(record: RunRecord): boolean {
    return this.#identify(record, true);
  }

  /** No worker came back with a run that was resumed: it is placed as one that was not. */
  notFound(record: RunRecord): void {
    if (this.#identify(record, false)) this.#parts.placement.accept(record);
  }

  /** Has a run go by its full id. One whose id stands for no routine, or for several, is over. @returns whether it goes on. */
  #identify(record: RunRecord, resumed: boolean): boolean {
    const { request } = record;
    try {
      const routineId = this.#resolve(request.routineId, resumed);
      if (routineId !== request.routineId) record.request = { ...request, routineId };
      return true;
    } catch (error) {
      this.#parts.outcomes.fail(record, toPlainError(error), false);
      return false;
    }
  }

  /** The requester may not have heard how its run goes on. */
  #remind(record: RunRecord): void {
    const { worker, started, attempt } = record.leader ?? record;
    this.#parts.placement.resends.askAgain(record);
    if (!worker || !started) return;
    record.requester.post(startingFor(record.request.runId, { attempt, worker: worker.node.name }));
  }

  /** The arguments of a run that is held came again; else the request is a second one of the same. */
  #requestedAgain(
    record: RunRecord,
    { store, blobs, inputs, resumed }: RequestStart,
    body: Body | undefined,
  ): void {
    const { asked } = record;
    record.askedIn = record.requester.connections;
    if (resumed) return this.#remind(record);
    if (!asked) return dropBody(body);
    this.#parts.placement.withdraw(record);
    if (asked === 'inline' && blobs) {
      dropBody(body);
      const message = `Run ${record.request.runId} was to be sent with all its bytes, and came without`;
      const error = new RoutineEngineError('PROTOCOL_MALFORMED', message);
      return this.#parts.outcomes.fail(record, toPlainError(error), false);
    }
    record.request = { ...record.request, store, blobs, inputs };
    record.body = body;
    this.#parts.placement.accept(record);
  }

  /** The requester has not got its outcome: it is had again from where it is kept, else the run is placed anew. */
  #answerAgain(
    requester: RunRequester,
    request: RequestStart,
    { kept, failure: failed, attempt }: AnsweredRun,
  ): void {
    const { answered } = this.#parts;
    if (failed) {
      answered.keepFailure(requester, failed);
      return requester.post(failed);
    }
    answered.take(requester, request.runId);
    const record = this.#take(requester, request, undefined);
    if (!record) return;
    record.attempt = attempt;
    const worker = kept && this.#parts.workers.get(kept.node);
    if (!kept || !worker) return this.#parts.placement.accept(record);
    const leader = this.#parts.placement.holderOf(kept.lease);
    if (leader) return this.#parts.shared.follow(record, leader);
    this.#parts.placement.bind(record, worker, kept);
    this.#parts.placement.setHanging(record, true);
    kept.node.post({ type: 'v1.routine.report_again', ...executionOf(record) });
  }
}

/** A run that nobody gave up goes on for its requester, who was gone and is back. */
function giveTo(requester: RunRequester, record: RunRecord): void {
  record.requester.openRuns -= 1;
  record.requester = requester;
  requester.openRuns += 1;
}
