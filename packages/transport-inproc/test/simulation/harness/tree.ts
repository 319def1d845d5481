import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';

/** A task as data: what its body does, and what comes of it. Equal leaves are equal calls. */
export interface Leaf {
  readonly id: string;
  /** How long it computes, in milliseconds. */
  readonly ms: number;
  /** It fails, each time. */
  readonly fails?: boolean;
  /** It fails in so many first attempts. */
  readonly failsFirst?: number;
  /** It computes until it is cancelled. */
  readonly endless?: boolean;
  /** It takes no notice of being cancelled. */
  readonly deaf?: boolean;
  /** Bytes that it is given. */
  readonly given?: Uint8Array;
  /** How many bytes it gives beside its number. */
  readonly gives?: number;
  /** The bytes that it gives come as a stream. */
  readonly streams?: boolean;
}

/** A workflow as data. */
export interface Flow {
  readonly id: string;
  readonly steps: readonly Step[];
  /** It fails after its steps. */
  readonly fails?: boolean;
}

/** A call of a routine. */
export type Call =
  | {
      readonly of: 'task' | 'unremembered';
      readonly node: Leaf;
      readonly retries?: number;
      readonly timeoutMs?: number;
    }
  | { readonly of: 'flow'; readonly node: Flow };

/** What a workflow does, one step after the other. */
export type Step =
  | { readonly do: 'call'; readonly call: Call }
  | { readonly do: 'together'; readonly calls: readonly Call[] }
  /** Its failure is caught. */
  | { readonly do: 'try'; readonly call: Call }
  /** Cancelled after so many milliseconds, unless it is over. */
  | { readonly do: 'cancel'; readonly call: Call; readonly afterMs: number }
  /** Not waited for. */
  | { readonly do: 'abandon'; readonly call: Call }
  /** Of what never ends by itself: it times out. */
  | { readonly do: 'time-out'; readonly call: Call; readonly timeoutMs: number }
  | { readonly do: 'pause'; readonly ms: number };

/** How large trees are, and what is in them. */
export interface TreeShape {
  /** About how many runs one tree has, at most. */
  readonly runs: number;
  readonly depth: number;
  /** Whether some leaves are given or give more than travels inline. */
  readonly large: boolean;
  /** Longest time that a leaf computes, in milliseconds. */
  readonly leafMs: number;
}

const LARGE_BYTES = 300 * 1024;

/** Draws trees. Leaves come back now and then, so that equal calls meet. */
export class TreeGenerator {
  readonly #random: SeededRandom;
  readonly #shape: TreeShape;
  readonly #prefix: string;
  readonly #leaves: Leaf[] = [];
  #made = 0;
  #rest = 0;

  /** @param prefix - tells the nodes of one simulation from those of others. */
  constructor(random: SeededRandom, shape: TreeShape, prefix: string) {
    this.#random = random;
    this.#shape = shape;
    this.#prefix = prefix;
  }

  /** A call for a client to make. */
  root(): Call {
    this.#rest = this.#random.integer(1, this.#shape.runs);
    return this.#random.chance(0.2) ? this.#leafCall() : this.#flowCall(1);
  }

  #flowCall(depth: number): Call {
    this.#rest -= 1;
    const steps: Step[] = [];
    const wanted = this.#random.integer(1, 4);
    while (steps.length < wanted && this.#rest > 0) steps.push(this.#step(depth));
    // At the end only: it would keep its slot from what the body waits for.
    if (this.#random.chance(0.08)) steps.push({ do: 'abandon', call: this.#endless() });
    const fails = this.#random.chance(0.04);
    return { of: 'flow', node: { id: this.#id(), steps, ...(fails && { fails }) } };
  }

  #step(depth: number): Step {
    const random = this.#random;
    const kind = random.next();
    if (kind < 0.35) return { do: 'call', call: this.#call(depth) };
    if (kind < 0.65) return { do: 'together', calls: this.#calls(depth) };
    if (kind < 0.75) return { do: 'try', call: this.#call(depth) };
    if (kind < 0.82)
      return { do: 'cancel', call: this.#call(depth), afterMs: random.integer(0, 2 * this.#shape.leafMs) };
    if (kind < 0.87) return { do: 'abandon', call: this.#call(depth) };
    if (kind < 0.91) return { do: 'time-out', call: this.#endless(), timeoutMs: random.integer(1, 300) };
    return { do: 'pause', ms: random.integer(0, this.#shape.leafMs) };
  }

  #calls(depth: number): Call[] {
    const calls = [this.#call(depth)];
    const wanted = this.#random.integer(2, 5);
    while (calls.length < wanted && this.#rest > 0) calls.push(this.#call(depth));
    return calls;
  }

  #call(depth: number): Call {
    const isFlow = depth < this.#shape.depth && this.#rest > 1 && this.#random.chance(0.4);
    return isFlow ? this.#flowCall(depth + 1) : this.#leafCall();
  }

  #leafCall(): Call {
    this.#rest -= 1;
    const random = this.#random;
    const known = this.#leaves[random.integer(0, Math.max(1, this.#leaves.length))];
    if (known && random.chance(0.3)) return { of: 'task', node: known };
    // It is over long before.
    const timeoutMs = random.chance(0.1) ? 3_600_000 : undefined;
    const node = this.#leaf();
    if (node.failsFirst !== undefined) return { of: 'unremembered', node, retries: node.failsFirst + 3 };
    const of = random.chance(0.3) ? 'unremembered' : 'task';
    if (of === 'task') this.#leaves.push(node);
    return { of, node, ...(timeoutMs !== undefined && { timeoutMs }) };
  }

  #leaf(): Leaf {
    const random = this.#random;
    const { large, leafMs } = this.#shape;
    const fails = random.chance(0.08);
    const failsFirst = !fails && random.chance(0.05);
    return {
      id: this.#id(),
      ms: random.chance(0.3) ? 0 : random.integer(0, leafMs),
      ...(fails && { fails }),
      ...(failsFirst && { failsFirst: random.integer(1, 2) }),
      ...(random.chance(0.05) && { deaf: true }),
      ...(large && random.chance(0.3) && { given: new Uint8Array(LARGE_BYTES).fill(random.integer(0, 255)) }),
      ...(large && random.chance(0.3) && { gives: LARGE_BYTES, streams: random.chance(0.5) }),
    };
  }

  #endless(): Call {
    this.#rest -= 1;
    return { of: 'unremembered', node: { id: this.#id(), ms: 0, endless: true } };
  }

  #id(): string {
    this.#made += 1;
    return `${this.#prefix}.${this.#made}`;
  }
}

/** Grace of a body that takes no notice of being cancelled, and the longest wait before a retry, in milliseconds. */
const GRACE_MS = 500;
const RETRIES_MS = 100;

/** How long a call takes at most when its runs come one after the other, each with so much for its ways. */
export function workOf(call: Call, hopMs: number): number {
  if (call.of !== 'flow') {
    const { ms, deaf, failsFirst = 0 } = call.node;
    return hopMs + (deaf ? Math.max(ms, GRACE_MS) : ms) + failsFirst * (ms + hopMs + RETRIES_MS);
  }
  return hopMs + call.node.steps.reduce((sum, step) => sum + workOfStep(step, hopMs), 0);
}

function workOfStep(step: Step, hopMs: number): number {
  if (step.do === 'pause') return step.ms;
  if (step.do === 'together') return step.calls.reduce((sum, call) => sum + workOf(call, hopMs), 0);
  // One that is abandoned runs until its caller ends, and may take the only slot meanwhile.
  return workOf(step.call, hopMs) + (step.do === 'time-out' ? step.timeoutMs : 0);
}
