import type { RunRecord } from './run-record.js';

/** Runs that wait for a worker: first come, first served among those that a free worker can take. */
export class RunQueue {
  /** Full routine id -> its waiting runs in order. */
  readonly #lanes = new Map<string, Map<string, RunRecord>>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(record: RunRecord): void {
    const { routineId, runId } = record.request;
    const lane = this.#lanes.get(routineId) ?? new Map<string, RunRecord>();
    const [first] = firstOf(lane);
    // One that comes back from a lost worker was accepted before those that wait.
    const before = first && first.order > record.order;
    this.#lanes.set(routineId, before ? new Map([[runId, record], ...lane]) : lane.set(runId, record));
    this.#size += 1;
  }

  /** @returns whether it was waiting. */
  remove(record: RunRecord): boolean {
    const { routineId, runId } = record.request;
    const lane = this.#lanes.get(routineId);
    if (!lane?.delete(runId)) return false;
    if (lane.size === 0) this.#lanes.delete(routineId);
    this.#size -= 1;
    return true;
  }

  /** Every run that waits. */
  *[Symbol.iterator](): Iterator<RunRecord> {
    for (const lane of this.#lanes.values()) yield* lane.values();
  }

  /** The oldest run of each routine that waits, oldest first. */
  get heads(): RunRecord[] {
    if (this.#lanes.size === 0) return [];
    const heads: RunRecord[] = [];
    for (const lane of this.#lanes.values()) for (const head of firstOf(lane)) heads.push(head);
    return heads.length < 2 ? heads : heads.sort((a, b) => a.order - b.order);
  }

  /** Whether runs of a routine wait. */
  holds(routineId: string): boolean {
    return this.#lanes.has(routineId);
  }
}

function firstOf(lane: Map<string, RunRecord>): RunRecord[] {
  for (const record of lane.values()) return [record];
  return [];
}
