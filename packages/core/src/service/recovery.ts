import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { HeldRun, RunHeader } from '../protocol/directives.js';
import type { NodeSession } from './node-session.js';
import type { RunRecord } from './run-record.js';
import { SetIndex } from './set-index.js';
import type { WorkerEntry } from './worker-entry.js';

/** A run that a worker holds and nobody has asked for yet. */
export interface UnclaimedRun {
  readonly worker: WorkerEntry;
  hold: HeldRun;
}

interface RecoveryParts {
  readonly clock: Clock;
  /** Milliseconds after the start of the service within which workers come back. */
  readonly workersBackMs: number;
  /** No worker has the run of a request that waited for that. */
  readonly onNotFound: (record: RunRecord) => void;
  /** Workers are waited for no more that were there before, if anybody asked. */
  readonly onOver: () => void;
  /** Milliseconds for which a run that a worker holds waits for the requester to come back. */
  readonly unclaimedMs: number;
}

/**
 * What was under way before the service was started, or had lost sight of a node: runs that workers hold and nobody has asked
 * for again yet, and requests that some worker may hold the run of.
 */
export class Recovery {
  readonly #parts: RecoveryParts;
  /** By lease. */
  readonly #unclaimed = new Map<number, UnclaimedRun>();
  /** The same, by run and by worker. */
  readonly #unclaimedOf = new SetIndex<string, UnclaimedRun>();
  readonly #heldBy = new SetIndex<WorkerEntry, UnclaimedRun>();
  readonly #timers = new Map<WorkerEntry, Timer>();
  readonly #recovering = new Set<RunRecord>();
  /** Those of them that a worker of that name began to run. */
  readonly #startedOn = new SetIndex<string, RunRecord>();
  /** Names of workers that have told what they hold. */
  readonly #back = new Set<string>();
  readonly #workersBackAt: number;
  #workersBack: Timer | undefined;
  #isClosed = false;

  constructor(parts: RecoveryParts) {
    this.#parts = parts;
    this.#workersBackAt = parts.clock.monotonic() + parts.workersBackMs;
  }

  /** Lets nothing wait any more, also not what still comes. */
  close(): void {
    this.#isClosed = true;
    this.#workersBack?.cancel();
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** The execution of a run that some worker holds unclaimed, the latest of several; earlier ones are given up. */
  claim(runId: string, attempt: number): UnclaimedRun | undefined {
    let latest: UnclaimedRun | undefined;
    for (const found of [...this.#unclaimedOf.get(runId)]) {
      const isLater = found.hold.attempt >= attempt && (!latest || found.hold.lease > latest.hold.lease);
      const stale = isLater ? latest : found;
      if (isLater) latest = found;
      if (stale) this.#giveUp(stale);
    }
    if (latest) this.#drop(latest);
    return latest;
  }

  /** Whether workers may still come back that were there before. */
  get isWaiting(): boolean {
    return !this.#isClosed && this.#parts.clock.monotonic() < this.#workersBackAt;
  }

  /** Takes a request that some worker may hold the run of. @returns whether it waits for that. */
  wait(record: RunRecord): boolean {
    if (!this.isWaiting) return false;
    const { startedOn } = record.request;
    // The worker that began to run it is back, without it.
    if (startedOn !== undefined && this.#back.has(startedOn)) return false;
    this.#recovering.add(record);
    if (startedOn !== undefined) this.#startedOn.add(startedOn, record);
    this.#awaitWorkers();
    return true;
  }

  /** Whether workers may still come back that were there before. If so, `onOver` is called when they may no more. */
  expects(): boolean {
    if (this.isWaiting) this.#awaitWorkers();
    return this.isWaiting;
  }

  /** A request is over, or its run was found. */
  forget(record: RunRecord): void {
    if (!this.#recovering.delete(record)) return;
    const { startedOn } = record.request;
    if (startedOn !== undefined) this.#startedOn.remove(startedOn, record);
  }

  /** A worker holds a run that nobody has asked for yet. */
  keep(worker: WorkerEntry, hold: HeldRun): void {
    const unclaimed = { worker, hold };
    this.#unclaimed.set(hold.lease, unclaimed);
    this.#unclaimedOf.add(hold.runId, unclaimed);
    this.#heldBy.add(worker, unclaimed);
    if (this.#timers.has(worker) || this.#isClosed) return;
    const { clock, unclaimedMs } = this.#parts;
    const late = (): void => {
      this.#timers.delete(worker);
      for (const unclaimed of [...this.#heldBy.get(worker)]) this.#giveUp(unclaimed);
    };
    this.#timers.set(worker, clock.after(unclaimedMs, late));
  }

  /** A worker has told all that it holds: what it began and does not hold is not waited for. */
  workerReady({ node }: WorkerEntry): void {
    this.#back.add(node.name);
    this.#place([...this.#startedOn.get(node.name)]);
  }

  /** Nothing that a worker held can be had any more: it is gone, or is about to tell anew. */
  forgetWorker(worker: WorkerEntry): void {
    this.#timers.get(worker)?.cancel();
    this.#timers.delete(worker);
    for (const unclaimed of [...this.#heldBy.get(worker)]) this.#drop(unclaimed);
  }

  /**
   * A worker tells of a run that it holds unclaimed.
   * @param state - how far it is now; absent when it does not hold it any more.
   * @returns whether it does hold it unclaimed.
   */
  told(node: NodeSession, { lease }: RunHeader, state: HeldRun['state'] | undefined): boolean {
    const unclaimed = this.#unclaimed.get(lease);
    if (unclaimed?.worker.node !== node) return false;
    if (state === undefined) this.#drop(unclaimed);
    else unclaimed.hold = { ...unclaimed.hold, state };
    return true;
  }

  #awaitWorkers(): void {
    const { clock, onOver } = this.#parts;
    this.#workersBack ??= clock.after(this.#workersBackAt - clock.monotonic(), () => {
      this.#place([...this.#recovering]);
      onOver();
    });
  }

  #giveUp(unclaimed: UnclaimedRun): void {
    this.#drop(unclaimed);
    cancelStale(unclaimed.worker, unclaimed.hold);
  }

  #drop(unclaimed: UnclaimedRun): void {
    const { runId, lease } = unclaimed.hold;
    // A lease may have been given out twice, by a clock that went back.
    if (this.#unclaimed.get(lease) === unclaimed) this.#unclaimed.delete(lease);
    this.#unclaimedOf.remove(runId, unclaimed);
    this.#heldBy.remove(unclaimed.worker, unclaimed);
  }

  #place(records: readonly RunRecord[]): void {
    for (const record of records) {
      this.forget(record);
      this.#parts.onNotFound(record);
    }
  }
}

/** Has a worker end an execution that nobody waits for, or forget its outcome. */
export function cancelStale({ node }: WorkerEntry, { runId, attempt, lease }: RunHeader): void {
  const error = new RoutineEngineError(
    'RUN_CANCELLED',
    `Nobody waits for attempt ${attempt} of ${runId} any more`,
  );
  node.post({ type: 'v1.routine.cancel', runId, attempt, lease, error: toPlainError(error) });
}
