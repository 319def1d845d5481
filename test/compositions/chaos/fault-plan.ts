import { seededIntegers } from '../../../examples/spam-sweep/src/random.ts';

/** Something that befalls a process. */
export interface Fault {
  readonly kind: 'kill-worker' | 'freeze-worker' | 'kill-service' | 'kill-client';
  /** Milliseconds after the fault before. */
  readonly afterMs: number;
  /** Which worker, from 0. */
  readonly worker: number;
  /** Milliseconds until it is started again, or wakes up. */
  readonly forMs: number;
}

/** Of a hundred faults so many are of each kind. */
const SHARES: readonly (readonly [Fault['kind'], number])[] = [
  ['kill-worker', 60],
  ['freeze-worker', 16],
  ['kill-service', 14],
  ['kill-client', 10],
];

/** How a round is composed, and what befalls it: the same for the same seed. When it hits, real time says. */
export class FaultPlan {
  readonly #below: (below: number) => number;
  readonly #leaseMs: number;

  constructor(seed: number, leaseMs: number) {
    this.#below = seededIntegers(seed);
    this.#leaseMs = leaseMs;
  }

  /** One of several. */
  choose<Choice>(choices: readonly [Choice, ...Choice[]]): Choice {
    return choices[this.#below(choices.length)] ?? choices[0];
  }

  next(workers: number): Fault {
    const [afterMs, worker, kind] = [300 + this.#below(3_600), this.#below(workers), this.#kind()];
    return { kind, afterMs, worker, forMs: this.#durationOf(kind) };
  }

  #kind(): Fault['kind'] {
    let left = this.#below(100);
    for (const [kind, share] of SHARES) {
      if (left < share) return kind;
      left -= share;
    }
    throw new RangeError('The shares of the kinds of faults do not add up to 100.');
  }

  /** Freezes are half within the lease, half beyond it; what was killed is back soon. */
  #durationOf(kind: Fault['kind']): number {
    if (kind !== 'freeze-worker') return this.#below(1_500);
    const share = this.#below(80) / 100;
    return this.#leaseMs * (this.#below(2) === 0 ? share : 1.2 + share);
  }
}
