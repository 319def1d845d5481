import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';
import type { Call, Flow, Leaf, LeafCall, LeafRoutine, MapStep, Step, Zone } from './tree.ts';

/** How large trees are, and what is in them. */
export interface TreeShape {
  /** About how many runs one tree has, at most. */
  readonly runs: number;
  readonly depth: number;
  /** Whether some leaves are given or give more than travels inline. */
  readonly large: boolean;
  /** Longest time that a leaf computes, in milliseconds. */
  readonly leafMs: number;
  /** The zones that workers are in. */
  readonly zones: readonly Zone[];
}

const LARGE_BYTES = 300 * 1024;
/** Longer than all of a simulation. */
const NEVER_MS = 3_600_000;

/** How often each step is drawn; what is left of 1 is a pause. */
const STEPS: readonly [share: number, step: Step['do']][] = [
  [0.25, 'call'],
  [0.23, 'together'],
  [0.09, 'try'],
  [0.06, 'cancel'],
  [0.04, 'abandon'],
  [0.06, 'submit'],
  [0.1, 'map'],
  [0.03, 'cancel-by-id'],
  [0.03, 'time-out'],
  [0.03, 'attempt-time-out'],
  [0.02, 'queue-time-out'],
  [0.02, 'hurry'],
];

/** Draws trees. Leaves come back now and then, so that equal calls meet. */
export class TreeGenerator {
  readonly #random: SeededRandom;
  readonly #shape: TreeShape;
  readonly #prefix: string;
  readonly #known: LeafCall[] = [];
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
    const random = this.#random;
    this.#rest = random.integer(1, this.#shape.runs);
    const call = random.chance(0.2) ? this.#leafCall() : this.#flowCall(1);
    return random.chance(0.4) ? { ...call, priority: random.pick([-5, 1, 5]) } : call;
  }

  #flowCall(depth: number): Call {
    const random = this.#random;
    this.#rest -= 1;
    const steps: Step[] = [];
    const wanted = random.integer(1, 4);
    while (steps.length < wanted && this.#rest > 0) steps.push(this.#step(depth));
    // At the end only: it would keep its slot from what the body waits for.
    if (random.chance(0.08)) steps.push({ do: 'abandon', call: this.#endless() });
    const fails = random.chance(0.04);
    const node: Flow = { id: this.#id(), steps, ...(fails && { fails }) };
    return {
      of: 'flow',
      node,
      ...(depth > 1 && random.chance(0.1) && { priority: random.pick([-1, 0, 7]) }),
    };
  }

  #step(depth: number): Step {
    let at = this.#random.next();
    for (const [share, step] of STEPS) {
      at -= share;
      if (at < 0) return this.#stepOf(step, depth);
    }
    return { do: 'pause', ms: this.#random.integer(0, this.#shape.leafMs) };
  }

  #stepOf(step: Step['do'], depth: number): Step {
    const random = this.#random;
    const { leafMs } = this.#shape;
    switch (step) {
      case 'together':
        return { do: step, calls: this.#calls(depth) };
      case 'try':
        return { do: step, call: random.chance(0.25) ? this.#failsForGood() : this.#call(depth) };
      case 'cancel':
        return { do: step, call: this.#call(depth), afterMs: random.integer(0, 2 * leafMs) };
      case 'cancel-by-id':
        return { do: step, call: this.#endlessFlow(), afterMs: random.integer(0, leafMs) };
      case 'submit':
        return { do: step, call: this.#call(depth), afterMs: random.integer(0, leafMs) };
      case 'map':
        return this.#map();
      case 'time-out':
        return { do: step, call: this.#endless(), timeoutMs: random.integer(1, 300) };
      case 'attempt-time-out': {
        const call = this.#endless({ attemptTimeoutMs: random.integer(1, 200) });
        return { do: step, call: { ...call, retries: random.integer(0, 2) } };
      }
      case 'queue-time-out': {
        const call = this.#endless({ zone: 'nowhere' });
        return { do: step, call: { ...call, queueTimeoutMs: random.integer(1, 500), timeoutMs: NEVER_MS } };
      }
      case 'hurry': {
        const call: LeafCall = { of: 'unremembered', node: this.#leaf() };
        return { do: step, call: { ...call, queueTimeoutMs: random.integer(1, 300) } };
      }
      case 'abandon':
        return { do: step, call: this.#call(depth) };
      default:
        return { do: 'call', call: this.#call(depth) };
    }
  }

  #map(): MapStep {
    const random = this.#random;
    const of: LeafRoutine = random.pick(['task', 'unremembered', 'newer']);
    const isLeft = random.chance(0.25);
    const leaves: Leaf[] = [];
    const wanted = random.integer(1, 8);
    while (leaves.length < wanted && (leaves.length === 0 || this.#rest > 0)) {
      this.#rest -= 1;
      const ms = random.integer(0, this.#shape.leafMs);
      // Of one that is left it would be a matter of time whether a failure comes first.
      const fails = !isLeft && random.chance(0.04);
      leaves.push({ id: this.#id(), ms, ...(fails && { fails }) });
    }
    const base = { do: 'map', of, leaves, concurrency: random.pick([1, 2, 3, 1_000]) } as const;
    return isLeft
      ? { ...base, ordered: true, leaveAfter: random.integer(1, leaves.length) }
      : { ...base, ordered: random.chance(0.5) };
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

  #leafCall(): LeafCall {
    this.#rest -= 1;
    const random = this.#random;
    const known = this.#known[random.integer(0, Math.max(1, this.#known.length))];
    if (known && random.chance(0.3)) return known;
    const node = this.#leaf();
    const limits: Partial<LeafCall> = {
      ...(random.chance(0.1) && { timeoutMs: NEVER_MS }),
      ...(random.chance(0.05) && { queueTimeoutMs: NEVER_MS }),
    };
    if (node.failsFirst !== undefined)
      return { of: 'unremembered', node, ...limits, retries: node.failsFirst + 3 };
    if (random.chance(0.05)) return this.#endlessFirst(node);
    const of = random.pick<LeafRoutine>(['task', 'task', 'task', 'unremembered', 'watched', 'newer']);
    // Not of what only some workers have anyway.
    const isPlaced = of !== 'newer' && of !== 'watched' && random.chance(0.2);
    const zone = isPlaced ? this.#shape.zones[random.integer(0, this.#shape.zones.length)] : undefined;
    const call: LeafCall = { of, node: { ...node, ...(zone && { zone }) }, ...limits };
    if (of === 'task' || of === 'watched') this.#known.push(call);
    return call;
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

  /** Its first attempts take too long. */
  #endlessFirst({ id, ms }: Leaf): LeafCall {
    const random = this.#random;
    const endlessFirst = random.integer(1, 2);
    const attemptTimeoutMs = ms + random.integer(20, 400);
    const node = { id, ms, endlessFirst, attemptTimeoutMs };
    return { of: 'unremembered', node, retries: endlessFirst + 3 };
  }

  #failsForGood(): LeafCall {
    this.#rest -= 1;
    const node = { id: this.#id(), ms: this.#random.integer(0, this.#shape.leafMs), failsForGood: true };
    return { of: 'unremembered', node, retries: 3 };
  }

  #endless(more: Partial<Leaf> = {}): LeafCall {
    this.#rest -= 1;
    return { of: 'unremembered', node: { id: this.#id(), ms: 0, endless: true, ...more } };
  }

  #endlessFlow(): Call {
    this.#rest -= 1;
    return { of: 'flow', node: { id: this.#id(), steps: [{ do: 'call', call: this.#endless() }] } };
  }

  #id(): string {
    this.#made += 1;
    return `${this.#prefix}.${this.#made}`;
  }
}
