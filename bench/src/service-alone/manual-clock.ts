import type { Clock, Timer } from '@routine-engine/core/adapter';

interface Due {
  readonly at: number;
  readonly callback: () => void;
}

/** Time that goes on when it is told to, so that a minute without work costs what its work costs. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Set<Due>();
  #turns: (() => void)[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(milliseconds: number, callback: () => void): Timer {
    const due = { at: this.#now + milliseconds, callback };
    this.#timers.add(due);
    return { cancel: () => void this.#timers.delete(due) };
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  /** Lets the callbacks of the next turn come, until none is left. */
  turn(): void {
    while (this.#turns.length > 0) {
      const turns = this.#turns;
      this.#turns = [];
      for (const callback of turns) callback();
    }
  }

  advance(milliseconds: number): void {
    const until = this.#now + milliseconds;
    for (let next = this.#next(until); next; next = this.#next(until)) {
      this.#timers.delete(next);
      this.#now = next.at;
      next.callback();
      this.turn();
    }
    this.#now = until;
  }

  #next(until: number): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#timers) if (due.at <= until && (!first || due.at < first.at)) first = due;
    return first;
  }
}
