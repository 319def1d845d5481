import type { Clock } from '../ports/clock.js';

/** Two centuries of placements, a thousand each millisecond, and as much room above. */
const HIGHEST = 2 ** 52;

/**
 * The fencing numbers of placements. They grow with every placement of any run, so that no two ever hold the same: also from
 * one start of the service to the next, since it places less than a thousand runs in a millisecond.
 */
export class Leases {
  #last: number;
  /** Those above this one are surely of this service, and not of one before. */
  #ownAbove: number;

  constructor(clock: Clock) {
    this.#last = Math.max(0, Math.floor(clock.now())) * 1_000;
    this.#ownAbove = this.#last;
  }

  next(): number {
    this.#last += 1;
    return this.#last;
  }

  /** A worker holds that one, from before this service was started: later ones are higher. */
  seen(lease: number): void {
    // Nobody may use them up by telling of one that is out of all proportion.
    if (lease > HIGHEST || lease <= this.#last) return;
    this.#last = lease;
    this.#ownAbove = lease;
  }

  /** Whether this service gave it away, so that a run that it knows nothing of is over. */
  isOwn(lease: number): boolean {
    return lease > this.#ownAbove && lease <= this.#last;
  }
}
