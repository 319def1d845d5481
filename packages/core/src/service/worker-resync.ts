import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { HeldRun } from '../protocol/directives.js';
import type { AnsweredRuns } from './answered-runs.js';
import type { Placement } from './placement.js';
import { cancelStale, type Recovery, type UnclaimedRun } from './recovery.js';
import type { RunOutcomes } from './run-outcomes.js';
import { executionOf, type RunRecord } from './run-record.js';
import type { Speculation } from './speculation.js';
import type { WorkerEntry } from './worker-entry.js';

interface WorkerResyncParts {
  readonly runs: ReadonlyMap<string, RunRecord>;
  readonly placement: Placement;
  readonly answered: AnsweredRuns;
  readonly outcomes: RunOutcomes;
  readonly speculation: Speculation;
  readonly recovery: Recovery;
  /** A run that waited is in the hands of a worker. @returns `false` when it is over all the same. */
  readonly onFound: (record: RunRecord) => boolean;
  /** A worker holds a detached run that is not known. */
  readonly onDetached: (hold: HeldRun, known: NonNullable<HeldRun['detached']>) => void;
}

/** Matches what workers hold, as they tell over each new connection, with what is known of their runs. */
export class WorkerResync {
  readonly #parts: WorkerResyncParts;

  constructor(parts: WorkerResyncParts) {
    this.#parts = parts;
  }

  /** A worker has told all that it holds. */
  ready(worker: WorkerEntry, holds: readonly HeldRun[]): void {
    const { placement, recovery } = this.#parts;
    recovery.forgetWorker(worker);
    const leases = new Set<number>();
    for (const hold of holds) {
      leases.add(hold.lease);
      placement.leases.seen(hold.lease);
      this.#match(worker, hold);
    }
    for (const record of [...worker.runs]) if (!leases.has(record.lease)) this.#missing(worker, record);
    recovery.workerReady(worker);
  }

  /** Binds a run that waits to the execution of it that a worker has in hand. @returns whether it goes on there. */
  adopt(record: RunRecord, { worker, hold }: UnclaimedRun): boolean {
    const { placement, recovery, onFound } = this.#parts;
    const target = record.leader ?? record;
    // A later placement has ended already: what came before it is given up.
    const isLate = target.lease > hold.lease || hold.attempt < record.request.attempt;
    // Given out twice, by a clock that went back while the service was down: the later of the two goes on.
    const isTaken = placement.holderOf(hold.lease) !== undefined;
    if (target.worker || target.cancelled || isLate || isTaken) return false;
    recovery.forget(target);
    placement.withdraw(target);
    if (!onFound(target)) return false;
    placement.bind(target, worker, hold);
    this.#goOn(target, worker, hold);
    return true;
  }

  #match(worker: WorkerEntry, hold: HeldRun): void {
    const { runs, placement, answered, recovery, onDetached } = this.#parts;
    const holder = placement.holderOf(hold.lease);
    if (holder?.worker === worker && executionOf(holder).runId === hold.runId)
      return this.#goOn(holder, worker, hold);
    if (answered.comesFrom(hold.lease, worker.node)) return;
    const record = runs.get(hold.runId);
    if (!record && !placement.leases.isOwn(hold.lease)) {
      recovery.keep(worker, hold);
      if (hold.detached) onDetached(hold, hold.detached);
      return;
    }
    if (!record || !this.adopt(record, { worker, hold })) cancelStale(worker, hold);
  }

  /** The worker goes on with a run, or has it over by now. */
  #goOn(record: RunRecord, worker: WorkerEntry, { state }: HeldRun): void {
    const { placement, outcomes, speculation } = this.#parts;
    const execution = executionOf(record);
    if (record.delivery?.isWhole) return;
    // What came of it over the connection before is cut.
    record.delivery = undefined;
    placement.setHanging(record, state === 'hanging' || state === 'finished');
    if (state === 'finished') {
      if (!record.cancelled) return worker.node.post({ type: 'v1.routine.report_again', ...execution });
      worker.node.acknowledge(execution);
      placement.release(record);
      return outcomes.fail(record, record.cancelled, true);
    }
    if (record.cancelled)
      return worker.node.post({ type: 'v1.routine.cancel', ...execution, error: record.cancelled });
    if (state === 'waiting' || record.started) return;
    record.started = true;
    speculation.begun(record);
    outcomes.tellStarted(record);
  }

  /** A worker does not have a run that was sent to it: the request, or the end of it, was lost on its way. */
  #missing({ node }: WorkerEntry, record: RunRecord): void {
    if (record.delivery?.isWhole) return;
    const message = `${node.name} lost its connection before the run had reached it`;
    const error = toPlainError(new RoutineEngineError('WORKER_LOST', message));
    this.#parts.speculation.again(record, error, 'blameless');
  }
}
