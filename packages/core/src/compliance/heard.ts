import assert from 'node:assert/strict';
import type { Observable } from 'rxjs';

/** Everything that an observable tells, one after the other. */
export class Heard<T> {
  readonly all: T[] = [];
  /** Resolves when it completes; rejects when it errors, which none of ours may. */
  readonly completed: Promise<void>;
  isComplete = false;
  #taken = 0;
  #wanted: (() => void)[] = [];

  constructor(source: Observable<T>) {
    this.completed = new Promise((resolve, reject) => {
      source.subscribe({
        next: (value) => {
          assert.ok(!this.isComplete, 'something came after the end');
          this.all.push(value);
          this.#wake();
        },
        complete: () => {
          this.isComplete = true;
          this.#wake();
          resolve();
        },
        error: (error: Error) => reject(error),
      });
    });
    // Whoever waits for the end is told; nobody has to.
    this.completed.catch(() => this.#wake());
  }

  /** The next one that nobody took. @throws `AssertionError` when it ends before. */
  async next(): Promise<T> {
    await this.count(this.#taken + 1);
    this.#taken += 1;
    return this.all[this.#taken - 1] as T;
  }

  /** Waits until so many have come in all. @throws `AssertionError` when it ends before. */
  async count(count: number): Promise<readonly T[]> {
    while (this.all.length < count) {
      assert.ok(!this.isComplete, `it ended after ${this.all.length} of ${count}`);
      await new Promise<void>((resolve) => this.#wanted.push(resolve));
    }
    return this.all;
  }

  #wake(): void {
    for (const wake of this.#wanted.splice(0)) wake();
  }
}
