import type { Clock } from '../ports/clock.js';

interface IdleWaitParts {
  readonly clock: Clock;
  readonly isIdle: () => boolean;
}

/** Waits for the moment when nothing is left to do. */
export class IdleWait {
  readonly #parts: IdleWaitParts;
  #waiting: (() => void)[] = [];

  constructor(parts: IdleWaitParts) {
    this.#parts = parts;
  }

  /** Something was done. Whether it was the last thing shows when all that belongs to it has happened. */
  check(): void {
    if (this.#waiting.length > 0) this.#parts.clock.nextTurn(() => this.#tell());
  }

  /** Resolves when nothing is left, or when that many milliseconds have passed. */
  wait(withinMs: number): Promise<void> {
    if (this.#parts.isIdle()) return Promise.resolve();
    return new Promise((resolve) => {
      const late = this.#parts.clock.after(withinMs, resolve);
      this.#waiting.push(() => {
        late.cancel();
        resolve();
      });
    });
  }

  #tell(): void {
    if (!this.#parts.isIdle()) return;
    for (const tell of this.#waiting.splice(0)) tell();
  }
}
