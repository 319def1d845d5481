import { labelsText } from '../model/labels.js';
import type { RunRecord } from './run-record.js';

/** Waiting runs of one kind in the order of their acceptance, by run id. */
interface Lane {
  runs: Map<string, RunRecord>;
  /** No run in it was accepted later. */
  latest: number;
}

/** Runs that wait for a worker: first come, first served among those that a free worker can take. */
export class RunQueue {
  /** Runs that the same workers can take: of one routine, and with arguments in the same store or in none. */
  readonly #lanes = new Map<string, Lane>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(record: RunRecord): void {
    const key = laneOf(record);
    const { runId } = record.request;
    this.#size += 1;
    const lane = this.#lanes.get(key);
    if (!lane) {
      this.#lanes.set(key, { runs: new Map([[runId, record]]), latest: record.order });
      return;
    }
    if (record.order > lane.latest) {
      lane.runs.set(runId, record);
      lane.latest = record.order;
      return;
    }
    // One that comes back was accepted before some of those that wait.
    const inOrder = [...lane.runs.values(), record].sort((a, b) => a.order - b.order);
    lane.runs = new Map(inOrder.map((each) => [each.request.runId, each]));
  }

  /** @returns whether it was waiting. */
  remove(record: RunRecord): boolean {
    const key = laneOf(record);
    const lane = this.#lanes.get(key);
    if (!lane?.runs.delete(record.request.runId)) return false;
    if (lane.runs.size === 0) this.#lanes.delete(key);
    this.#size -= 1;
    return true;
  }

  /** Every run that waits. */
  *[Symbol.iterator](): Iterator<RunRecord> {
    for (const lane of this.#lanes.values()) yield* lane.runs.values();
  }

  /** The oldest run of each kind that waits, oldest first. */
  get heads(): RunRecord[] {
    if (this.#lanes.size === 0) return [];
    const heads: RunRecord[] = [];
    for (const lane of this.#lanes.values()) for (const head of firstOf(lane.runs)) heads.push(head);
    return heads.length < 2 ? heads : heads.sort((a, b) => a.order - b.order);
  }

  /** Whether runs wait that the same workers can take. */
  holdsLike(record: RunRecord): boolean {
    return this.#lanes.size > 0 && this.#lanes.has(laneOf(record));
  }
}

/** No routine id has a space in it. */
function laneOf({ request: { routineId, blobs, store, labels } }: RunRecord): string {
  return blobs || labels ? `${routineId} ${labelsText(labels)} ${blobs ? store : ''}` : routineId;
}

function firstOf(runs: Map<string, RunRecord>): RunRecord[] {
  for (const record of runs.values()) return [record];
  return [];
}
