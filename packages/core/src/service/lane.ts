import type { HeapItem } from './indexed-heap.js';
import type { RunRecord } from './run-record.js';
import type { RunKind } from './run-kind.js';
import { WaitingLine } from './waiting-line.js';

/** Runs that lie deeper than this count as just this deep, which bounds the lines of a lane. */
const DEEPEST = 255;

/**
 * How many turns a lane may lose to other lanes of its root before it is due by its own waiting: so that runs of one kind
 * never wait for ever while those of another kind go ahead.
 */
export const PATIENCE = 1_024;

/** The root of waiting runs of one priority: the unit among which turns go round. */
export class Root {
  readonly id: string;
  /** Roots take turns: the lower number is first. Set anew when one of its runs is placed. */
  turn: number;
  lanes = 0;

  constructor(id: string, turn: number) {
    this.id = id;
    this.turn = turn;
  }
}

/** Waiting runs of one kind, priority and root: deeper ones first, then in the order of their acceptance. */
export class Lane implements HeapItem {
  readonly kind: RunKind;
  readonly priority: number;
  readonly root: Root;
  heapIndex = -1;
  /** What its place in the heap goes by. Only grows, and so may lag behind until the lane comes to the top. */
  rank: number;
  rootTurn: number;
  /** The turn at which it began to wait, or was last placed from. */
  #since: number;
  #deepest: WaitingLine | undefined;

  constructor(kind: RunKind, priority: number, root: Root, turn: number) {
    this.kind = kind;
    this.priority = priority;
    this.root = root;
    this.#since = turn;
    this.rank = root.turn;
    this.rootTurn = root.turn;
    root.lanes += 1;
  }

  get isEmpty(): boolean {
    return this.#deepest === undefined;
  }

  /** The run that is to be placed first. */
  get head(): RunRecord | undefined {
    return this.#deepest?.head;
  }

  *[Symbol.iterator](): Iterator<RunRecord> {
    for (let line = this.#deepest; line; line = line.shallower) yield* line;
  }

  /** Brings its rank up to date. @returns whether that changed it. */
  refresh(): boolean {
    const rank = Math.min(this.root.turn, this.#since + PATIENCE);
    if (rank === this.rank && this.rootTurn === this.root.turn) return false;
    this.rank = rank;
    this.rootTurn = this.root.turn;
    return true;
  }

  /** One of its runs was placed. */
  served(turn: number): void {
    this.root.turn = turn;
    this.#since = turn;
  }

  add(record: RunRecord): void {
    const depth = depthOf(record);
    let deeper: WaitingLine | undefined;
    let line = this.#deepest;
    while (line && line.depth > depth) {
      deeper = line;
      line = line.shallower;
    }
    if (line?.depth !== depth) {
      line = new WaitingLine(this, depth, line);
      if (deeper) deeper.shallower = line;
      else this.#deepest = line;
    }
    line.add(record);
  }

  remove(record: RunRecord, line: WaitingLine): void {
    line.remove(record);
    if (!line.isEmpty) return;
    if (this.#deepest === line) {
      this.#deepest = line.shallower;
      return;
    }
    let deeper = this.#deepest;
    while (deeper && deeper.shallower !== line) deeper = deeper.shallower;
    if (deeper) deeper.shallower = line.shallower;
  }
}

/** Whether the head of a lane goes first, as far as the heap of one kind and priority knows. */
export function ranksBefore(a: Lane, b: Lane): boolean {
  return a.rank === b.rank ? a.rootTurn < b.rootTurn : a.rank < b.rank;
}

/** Whether the head of one lane goes before that of another, whatever their kinds and priorities. Both are up to date. */
function goesBefore(a: Lane, b: Lane): boolean {
  if (a.priority !== b.priority) return a.priority > b.priority;
  if (a.rank !== b.rank) return a.rank < b.rank;
  if (a.rootTurn !== b.rootTurn) return a.rootTurn < b.rootTurn;
  const [first, second] = [a.head, b.head];
  if (!first || !second) return first !== undefined;
  const [depth, otherDepth] = [depthOf(first), depthOf(second)];
  return depth === otherDepth ? first.order < second.order : depth > otherDepth;
}

/** The one of two lanes whose head goes first. Both are up to date. */
export function earlier(one: Lane | undefined, other: Lane | undefined): Lane | undefined {
  if (!one || !other) return one ?? other;
  return goesBefore(other, one) ? other : one;
}

function depthOf({ request }: RunRecord): number {
  return Math.min(request.depth ?? 0, DEEPEST);
}
