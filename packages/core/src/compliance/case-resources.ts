import type { Clock } from '../ports/clock.js';

/** What one case has opened, and how long it may go on. @public */
export interface CaseResources {
  /** Aborted when the case is over, or was given up. */
  readonly signal: AbortSignal;
  /** Real time. */
  readonly clock: Clock;
  /**
   * Has something closed, and waits for the promise of it, when the case is over, also when it fails or hangs: the last that was deferred first. What a case
   * opens after it was given up is closed at once.
   */
  defer(close: () => unknown): void;
}

/** The resources of a case in hand, which whoever runs the case closes. */
export class OpenResources implements CaseResources {
  readonly clock: Clock;
  readonly #ended = new AbortController();
  readonly #closers: (() => unknown)[] = [];
  #isClosed = false;

  constructor(clock: Clock) {
    this.clock = clock;
  }

  get signal(): AbortSignal {
    return this.#ended.signal;
  }

  defer(close: () => unknown): void {
    if (!this.#isClosed) return void this.#closers.push(close);
    // The case has failed by then, by the time it took: nobody is left to be told how this ends.
    void Promise.resolve()
      .then(close)
      .catch(() => undefined);
  }

  /** Closes everything, whatever fails on the way. @returns what failed. */
  async close(reason: Error): Promise<Error[]> {
    const failures: Error[] = [];
    this.#ended.abort(reason);
    for (let close = this.#closers.pop(); close; close = this.#closers.pop()) {
      try {
        await close();
      } catch (error) {
        failures.push(error instanceof Error ? error : new Error(String(error)));
      }
    }
    this.#isClosed = true;
    return failures;
  }
}
