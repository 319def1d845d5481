/** Lets a number of jobs through at once; the others wait their turn. Knows when none is under way. @public */
export class Gate {
  readonly #atOnce: number;
  #inside = 0;
  readonly #waiting: (() => void)[] = [];
  readonly #idle: (() => void)[] = [];

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /** Nothing when there is room, so that the usual case costs nothing. Every enter, once it let one in, needs its leave. */
  enter(): Promise<void> | undefined {
    if (this.#inside < this.#atOnce) {
      this.#inside += 1;
      return undefined;
    }
    return new Promise((enter) => this.#waiting.push(enter));
  }

  leave(): void {
    const next = this.#waiting.shift();
    // The place goes on to the first that waits: it is never free in between.
    if (next) next();
    else this.#inside -= 1;
    if (this.#inside === 0) for (const told of this.#idle.splice(0)) told();
  }

  async run<T>(job: () => Promise<T>): Promise<T> {
    await this.enter();
    try {
      return await job();
    } finally {
      this.leave();
    }
  }

  /** Resolves when nothing is under way and nothing waits. */
  async idle(): Promise<void> {
    if (this.#inside > 0) await new Promise<void>((told) => this.#idle.push(told));
  }
}
