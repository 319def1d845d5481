import { IndexedHeap } from './indexed-heap.js';
import type { Lane } from './lane.js';
import type { RunRecord } from './run-record.js';

/**
 * Waiting runs among which nothing but the order of their acceptance decides. They are linked, so that each costs no memory
 * beside its record, and any can go at once.
 */
export class WaitingLine {
  readonly lane: Lane;
  readonly depth: number;
  /** The next line of the same lane, which lies less deep. */
  shallower: WaitingLine | undefined;
  #first: RunRecord | undefined;
  #last: RunRecord | undefined;
  /** Those that came back, and were accepted before some of the others. */
  #returned: IndexedHeap<RunRecord> | undefined;

  constructor(lane: Lane, depth: number, shallower: WaitingLine | undefined) {
    this.lane = lane;
    this.depth = depth;
    this.shallower = shallower;
  }

  /** The run that was accepted first. */
  get head(): RunRecord | undefined {
    const returned = this.#returned?.top;
    if (!returned || !this.#first) return returned ?? this.#first;
    return isOlder(returned, this.#first) ? returned : this.#first;
  }

  get isEmpty(): boolean {
    return this.#first === undefined && (this.#returned?.size ?? 0) === 0;
  }

  *[Symbol.iterator](): Iterator<RunRecord> {
    for (let record = this.#first; record; record = record.behind) yield record;
    yield* this.#returned?.items ?? [];
  }

  add(record: RunRecord): void {
    record.line = this;
    const last = this.#last;
    if (last && isOlder(record, last)) {
      this.#returned ??= new IndexedHeap(isOlder);
      this.#returned.add(record);
      return;
    }
    record.before = last;
    if (last) last.behind = record;
    else this.#first = record;
    this.#last = record;
  }

  remove(record: RunRecord): void {
    record.line = undefined;
    if (record.heapIndex >= 0) {
      this.#returned?.remove(record);
      return;
    }
    const { before, behind } = record;
    if (before) before.behind = behind;
    else this.#first = behind;
    if (behind) behind.before = before;
    else this.#last = before;
    record.before = undefined;
    record.behind = undefined;
  }
}

function isOlder(a: RunRecord, b: RunRecord): boolean {
  return a.order < b.order;
}
