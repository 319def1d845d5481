import type { Ids, Random } from '@routine-engine/core/adapter';

/** The count of the last id of one millisecond: all of the 12 bits beside the time. */
const MOST_OF_A_MILLISECOND = 0xfff;

/** UUIDv7 (RFC 9562) that repeat themselves: time by a clock, the rest by seeded chance. @public */
export class SeededIds implements Ids {
  readonly #clock: { now(): number };
  readonly #random: Random;
  #milliseconds = 0;
  #count = 0;

  constructor(clock: { now(): number }, random: Random) {
    this.#clock = clock;
    this.#random = random;
  }

  next(): string {
    const now = this.#clock.now();
    if (now > this.#milliseconds || this.#count === MOST_OF_A_MILLISECOND) {
      this.#milliseconds = Math.max(now, this.#milliseconds + 1);
      this.#count = 0;
    } else {
      // Also when the clock was set back: ids of one process sort by the time of their making.
      this.#count += 1;
    }
    const time = hex(this.#milliseconds, 12);
    const variant = hex(0x8000 + this.#draw(0x4000), 4);
    const rest = hex(this.#draw(0x100_0000), 6) + hex(this.#draw(0x100_0000), 6);
    return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(this.#count, 3)}-${variant}-${rest}`;
  }

  #draw(below: number): number {
    return Math.floor(this.#random.next() * below);
  }
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
