import type { Clock, Timer } from '../ports/clock.js';

/** A time in which what is in hand may be finished. It ends when that is done, when it has passed, or when somebody says so. */
export class Grace {
  readonly over: Promise<void>;
  #end: () => void = () => undefined;
  #late: Timer | undefined;

  /** @param whenDone - calls when nothing is in hand any more. */
  constructor(clock: Clock, graceMs: number, whenDone: (then: () => void) => void) {
    this.over = new Promise((resolve) => (this.#end = resolve));
    if (graceMs > 0) this.#late = clock.after(graceMs, () => this.end());
    else this.end();
    whenDone(() => this.end());
  }

  end(): void {
    this.#late?.cancel();
    this.#end();
  }
}
