import type { PlainError } from '../errors/plain-error.js';
import { parseRoutineId } from '../model/routine-id.js';
import type { Clock, Timer } from '../ports/clock.js';
import { isStreaming } from '../protocol/watched-body.js';
import type { Placement } from './placement.js';
import { cancelStale } from './recovery.js';
import { executionOf, type RunRecord } from './run-record.js';

/** When there was nobody to give a run to, this long at least until the next look, in milliseconds. */
const LEAST_AGAIN_MS = 1_000;

interface SpeculationParts {
  readonly placement: Placement;
  readonly clock: Clock;
  /** The second execution of a run has taken the place of the first. */
  readonly onReplaced: (record: RunRecord) => void;
}

/**
 * Second executions of tasks that take long, for requests that want that: on another worker, which has a slot free. Each has a
 * lease of its own, and the first of the two that ends counts. That is safe since tasks are pure.
 */
export class Speculation {
  readonly #parts: SpeculationParts;
  readonly #timers = new Map<RunRecord, Timer>();
  /** The second execution of a run, which nobody else knows of. */
  readonly #seconds = new Map<RunRecord, RunRecord>();
  #closed = false;

  constructor(parts: SpeculationParts) {
    this.#parts = parts;
  }

  close(): void {
    this.#closed = true;
    for (const timer of this.#timers.values()) timer.cancel();
  }

  /** The body of a run began. */
  begun(record: RunRecord): void {
    const { speculateAfterMs } = record.request;
    if (speculateAfterMs === undefined || record.first || this.#closed || this.#timers.has(record)) return;
    if (isTask(record)) this.#look(record, speculateAfterMs);
  }

  /** The run that an execution is of, which has ended: the other execution of it ends as well. */
  decided(record: RunRecord): RunRecord {
    const { first } = record;
    if (!first) {
      this.ended(record);
      return record;
    }
    if (first.worker) cancelStale(first.worker, executionOf(first));
    this.#replace(first, record);
    return first;
  }

  /** A run is over, or wanted no more. */
  ended(record: RunRecord): void {
    // Every run comes here, and few services have any that straggle.
    if (this.#timers.size === 0 && this.#seconds.size === 0) return;
    this.#stopTimer(record);
    const second = this.#seconds.get(record);
    if (!second) return;
    const { worker } = second;
    if (worker) cancelStale(worker, executionOf(second));
    this.drop(second);
  }

  /** A second execution came to nothing: the run goes on with the first. */
  drop(second: RunRecord): void {
    this.#parts.placement.release(second);
    if (second.first) this.#seconds.delete(second.first);
  }

  /** As {@link Placement.again}: a run that is executed twice goes on with the other execution. */
  again(record: RunRecord, error: PlainError, how: Parameters<Placement['again']>[2]): void {
    if (record.first) return this.drop(record);
    this.#stopTimer(record);
    const second = this.#seconds.get(record);
    if (!second) return this.#parts.placement.again(record, error, how);
    if (how === 'downfall') record.downfalls += 1;
    this.#replace(record, second);
  }

  #replace(first: RunRecord, second: RunRecord): void {
    const { placement, onReplaced } = this.#parts;
    const { downfalls } = first;
    this.#stopTimer(first);
    this.#seconds.delete(first);
    placement.release(first);
    placement.transfer(second, first);
    first.downfalls = downfalls;
    onReplaced(first);
    if (first.started) this.begun(first);
  }

  #look(record: RunRecord, afterMs: number): void {
    const late = (): void => {
      this.#timers.delete(record);
      if (!this.#begin(record)) this.#look(record, Math.max(afterMs, LEAST_AGAIN_MS));
    };
    this.#timers.set(record, this.#parts.clock.after(afterMs, late));
  }

  /** @returns whether that is settled: it is executed twice, or will never be. */
  #begin(record: RunRecord): boolean {
    const { body, worker, delivery, cancelled } = record;
    // Arguments that went to the worker as they came are kept nowhere.
    if (!body || isStreaming(body) || !worker || delivery || cancelled) return true;
    const second: RunRecord = {
      ...record,
      first: record,
      followers: undefined,
      worker: undefined,
      executedAs: undefined,
      started: false,
      hanging: false,
    };
    if (!this.#parts.placement.second(second, worker)) return false;
    this.#seconds.set(record, second);
    return true;
  }

  #stopTimer(record: RunRecord): void {
    this.#timers.get(record)?.cancel();
    this.#timers.delete(record);
  }
}

/** A workflow is not pure: what it calls would be called twice. */
function isTask({ request }: RunRecord): boolean {
  const id = parseRoutineId(request.routineId);
  return id.kind === 'task';
}
