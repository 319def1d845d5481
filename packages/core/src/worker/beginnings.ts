import type { Clock } from '../ports/clock.js';

/** A run whose body began. */
export interface BegunRun {
  /** Tells that it began, unless that was told, or it is over and its end told both. */
  tellBeginning(): void;
}

/**
 * Tells at the end of each turn which bodies began in it. Of a run that ends in the turn that it began in, its end tells both:
 * a directive less for each short run, in the worker, the service and at its requester.
 */
export class Beginnings {
  readonly #clock: Clock;
  #begun: BegunRun[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(run: BegunRun): void {
    this.#begun.push(run);
    if (this.#begun.length === 1) this.#clock.nextTurn(() => this.#tell());
  }

  #tell(): void {
    const begun = this.#begun;
    this.#begun = [];
    for (const run of begun) run.tellBeginning();
  }
}
