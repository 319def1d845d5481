import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { HeldRun, WorkerHolds } from '../protocol/directives.js';
import type { WorkerRun } from './worker-run.js';

/** Runs that one directive names at most: so many fit into it, however long their ids are. */
const TOLD_AT_ONCE = 1_000;

/** How much a worker has in hand. @public */
export interface WorkerCounts {
  /** Runs that compute, or wait to. */
  readonly running: number;
  /** Runs that wait for their sub-runs. */
  readonly hanging: number;
  /** Runs that are over, but whose outcomes are not acknowledged. */
  readonly unacknowledged: number;
}

/** The runs of a worker: those in hand, and those that are over until their outcomes are acknowledged. */
export class HeldRuns {
  /** In hand, by lease: of one run several attempts may be, when an earlier one is given up. */
  readonly #inHand = new Map<number, WorkerRun>();
  /** The latest attempt of each run in hand. */
  readonly #latest = new Map<string, WorkerRun>();
  /** Over, by lease. */
  readonly #over = new Map<number, WorkerRun>();
  #hanging = 0;
  #onEmpty: (() => void) | undefined;

  /** Runs in hand that wait for sub-runs. */
  get hanging(): number {
    return this.#hanging;
  }

  /** Runs in hand that compute, or wait to. */
  get running(): number {
    return this.#inHand.size - this.#hanging;
  }

  get counts(): WorkerCounts {
    return { running: this.running, hanging: this.#hanging, unacknowledged: this.#over.size };
  }

  /** All of them, as the service is told after a loss. */
  *told(): Generator<WorkerHolds> {
    const runs: HeldRun[] = [];
    for (const { header, state, detached } of this.#inHand.values())
      runs.push({ ...header, state, ...(detached && { detached }) });
    for (const { header, detached } of this.#over.values())
      runs.push({ ...header, state: 'finished', ...(detached && { detached }) });
    for (let from = 0; from < runs.length; from += TOLD_AT_ONCE)
      yield { type: 'v1.worker.holds', runs: runs.slice(from, from + TOLD_AT_ONCE) };
  }

  has(lease: number): boolean {
    return this.#inHand.has(lease);
  }

  /**
   * Takes a run in hand.
   * @param begin - starts it: at once, or when an earlier attempt of the same run is over, which is given up.
   */
  take(run: WorkerRun, begin: () => void): void {
    const { runId, attempt, lease } = run.header;
    const earlier = this.#latest.get(runId);
    this.#inHand.set(lease, run);
    this.#latest.set(runId, run);
    if (!earlier) return begin();
    earlier.whenOver(begin);
    const stale = `Attempt ${earlier.header.attempt} of ${runId} is given up for attempt ${attempt}`;
    earlier.cancel.cancel(new RoutineEngineError('RUN_CANCELLED', stale));
  }

  /** A run began to hang (`true`) or computes again. */
  countHanging(waits: boolean): void {
    this.#hanging += waits ? 1 : -1;
  }

  /** A run is over. Its outcome, when it has one, is kept. */
  release(run: WorkerRun): void {
    const { runId, lease } = run.header;
    this.#inHand.delete(lease);
    if (this.#latest.get(runId) === run) this.#latest.delete(runId);
    if (run.hangs) this.#hanging -= 1;
    this.keep(run);
    run.end();
    if (this.#inHand.size === 0) this.#onEmpty?.();
  }

  /** Keeps the outcome of a run until it is acknowledged. */
  keep(run: WorkerRun): void {
    if (run.hasOutcome) this.#over.set(run.header.lease, run);
  }

  /** The outcome of a run, if it has one, is not needed any more. */
  forget(lease: number): void {
    this.#over.delete(lease);
  }

  /** A run whose outcome is kept. */
  kept(lease: number): WorkerRun | undefined {
    return this.#over.get(lease);
  }

  /** A run is wanted no more, nor its outcome. */
  cancel(lease: number, reason: Error): void {
    this.#over.delete(lease);
    this.#inHand.get(lease)?.cancel.cancel(reason);
  }

  cancelAll(reason: Error): void {
    for (const run of this.#inHand.values()) run.cancel.cancel(reason);
  }

  /** Calls when nothing is in hand any more: at once when nothing is. */
  whenEmpty(then: () => void): void {
    if (this.#inHand.size === 0) then();
    else this.#onEmpty = then;
  }
}
