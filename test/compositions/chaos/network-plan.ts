import { seededIntegers } from '../../../examples/spam-sweep/src/random.ts';
import type { Direction } from '../network/fault-proxy.ts';

/** Something that befalls the network between one node and the service. */
export interface NetworkFault {
  readonly kind: 'cut' | 'reset' | 'half-open' | 'one-way' | 'partition' | 'delay' | 'slow-down' | 'refuse';
  /** Milliseconds after the fault before. */
  readonly afterMs: number;
  /** Which node, from 0. */
  readonly node: number;
  /** Milliseconds until the network is well again, for what takes a while. */
  readonly forMs: number;
  /** Bytes until the connection is cut. */
  readonly afterBytes: number;
  /** Milliseconds that each piece waits. */
  readonly delayMs: number;
  readonly bytesPerSecond: number;
  /** Which way nothing passes any more, for `one-way`. */
  readonly direction: Direction;
}

/** Of a hundred faults so many are of each kind. */
const SHARES: readonly (readonly [NetworkFault['kind'], number])[] = [
  ['cut', 42],
  ['reset', 20],
  ['half-open', 6],
  ['one-way', 6],
  ['partition', 4],
  ['delay', 8],
  ['slow-down', 8],
  ['refuse', 6],
];
/** Within what passes for a node in a short time: most cuts are in the middle of a message. */
const CUT_WITHIN_BYTES = 96 * 1024;
const WEATHER_MS = 3_000;
const LONGEST_DELAY_MS = 300;
const LEAST_BYTES_PER_SECOND = 16 * 1024;
/** Faults that let nothing pass. Of so many one outlasts the lease. */
const STALLS: readonly NetworkFault['kind'][] = ['half-open', 'one-way', 'partition'];
const LONG_STALLS = 3;

/** What befalls the network: the same for the same seed. */
export class NetworkPlan {
  readonly #below: (below: number) => number;
  readonly #leaseMs: number;

  constructor(seed: number, leaseMs: number) {
    this.#below = seededIntegers(seed);
    this.#leaseMs = leaseMs;
  }

  next(nodes: number): NetworkFault {
    const kind = this.#kind();
    return {
      kind,
      afterMs: 100 + this.#below(800),
      node: this.#below(nodes),
      forMs: this.#durationOf(kind),
      afterBytes: this.#below(CUT_WITHIN_BYTES),
      delayMs: 20 + this.#below(LONGEST_DELAY_MS),
      bytesPerSecond: LEAST_BYTES_PER_SECOND * (1 + this.#below(32)),
      direction: this.#below(2) === 0 ? 'to-service' : 'to-node',
    };
  }

  #kind(): NetworkFault['kind'] {
    let left = this.#below(100);
    for (const [kind, share] of SHARES) {
      if (left < share) return kind;
      left -= share;
    }
    throw new RangeError('The shares of the kinds of faults do not add up to 100.');
  }

  #durationOf(kind: NetworkFault['kind']): number {
    if (!STALLS.includes(kind)) return 200 + this.#below(WEATHER_MS);
    const share = this.#below(60) / 100;
    return this.#leaseMs * (this.#below(LONG_STALLS) === 0 ? 1.2 + share : share);
  }
}
