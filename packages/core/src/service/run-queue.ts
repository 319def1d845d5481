import { isStreaming } from '../protocol/watched-body.js';
import { Lane, Root } from './lane.js';
import type { KindLevel, RunKind } from './run-kind.js';
import type { RunRecord } from './run-record.js';

/**
 * Runs that wait for a worker. Which goes first, among those that a worker can take: the higher priority; then the root run
 * whose turn it is, since roots take turns by what was placed of them; within a root the run that lies deeper, so that
 * workflows that have begun end before others begin; then the order of acceptance.
 */
export class RunQueue {
  /** Priority -> id of the root run -> root. */
  readonly #roots = new Map<number, Map<string, Root>>();
  readonly #waitingKinds = new Set<RunKind>();
  /** Counts the turns; grows with each placement and each lane that begins. */
  #turn = 0;
  #size = 0;
  #byteLength = 0;

  get size(): number {
    return this.#size;
  }

  /** Bytes of the arguments that are in memory here for the runs that wait. */
  get byteLength(): number {
    return this.#byteLength;
  }

  /** The kinds of which runs wait. */
  get kinds(): ReadonlySet<RunKind> {
    return this.#waitingKinds;
  }

  /** Every run that waits, in no order. */
  *[Symbol.iterator](): Iterator<RunRecord> {
    for (const kind of this.#waitingKinds) yield* runsOf(kind);
  }

  /** The turn of what begins now: behind all that wait. */
  nextTurn(): number {
    this.#turn += 1;
    return this.#turn;
  }

  add(record: RunRecord, kind: RunKind): void {
    const { priority = 0, rootRunId } = record.request;
    const level = kind.levelOf(priority);
    const lane = level.lanes.get(rootRunId) ?? this.#begin(kind, level, record);
    lane.add(record);
    kind.count(1);
    if (kind.waiting === 1) this.#waitingKinds.add(kind);
    this.#size += 1;
    record.queuedBytes = bytesOf(record);
    this.#byteLength += record.queuedBytes;
  }

  /** Takes out a run that is wanted no more here. @returns whether it waited. */
  remove(record: RunRecord): boolean {
    const { line } = record;
    if (!line) return false;
    this.#takeOut(record, line.lane);
    return true;
  }

  /** Takes out a run that is placed: then it is the turn of the other roots. */
  serve(record: RunRecord): void {
    const lane = record.line?.lane;
    if (!lane) return;
    lane.served(this.nextTurn());
    this.#takeOut(record, lane);
  }

  /** A root of which nothing waited begins with the turn of its run: behind all others, unless the run comes back. */
  #begin(kind: RunKind, level: KindLevel, { request: { rootRunId }, turn }: RunRecord): Lane {
    const { priority } = level;
    const roots = this.#roots.get(priority) ?? new Map<string, Root>();
    if (roots.size === 0) this.#roots.set(priority, roots);
    let root = roots.get(rootRunId);
    if (!root) {
      root = new Root(rootRunId, turn);
      roots.set(rootRunId, root);
    }
    const lane = new Lane(kind, priority, root, turn);
    level.lanes.set(rootRunId, lane);
    level.heap.add(lane);
    return lane;
  }

  #takeOut(record: RunRecord, lane: Lane): void {
    const { kind, root, priority } = lane;
    const { line } = record;
    if (line) lane.remove(record, line);
    kind.count(-1);
    if (kind.waiting === 0) this.#waitingKinds.delete(kind);
    this.#size -= 1;
    this.#byteLength -= record.queuedBytes ?? 0;
    if (!lane.isEmpty) return;
    const level = kind.levelOf(priority);
    level.lanes.delete(root.id);
    level.heap.remove(lane);
    if (level.lanes.size === 0) kind.levels.splice(kind.levels.indexOf(level), 1);
    root.lanes -= 1;
    if (root.lanes === 0) this.#forget(root, priority);
  }

  #forget(root: Root, priority: number): void {
    const roots = this.#roots.get(priority);
    roots?.delete(root.id);
    if (roots?.size === 0) this.#roots.delete(priority);
  }
}

/** Bytes of the arguments of a run that are in memory here. What streams is still where it comes from. */
export function bytesOf({ body }: RunRecord): number {
  return body && !isStreaming(body) ? body.byteLength : 0;
}

/** The waiting runs of one kind, in no order. */
export function* runsOf(kind: RunKind): Generator<RunRecord> {
  for (const { lanes } of kind.levels) for (const lane of lanes.values()) yield* lane;
}
