import { AsyncLocalStorage } from 'node:async_hooks';
import process from 'node:process';
import { currentRun } from '@routine-engine/core';
import type { Clock } from '@routine-engine/core/adapter';
import type { SimulatedClock } from '../simulation/simulated-clock.js';

/** Something that a test waits for. */
export interface Wait<T> {
  /** Looked at after each thing that happens. @returns `undefined` as long as it has not come. */
  readonly look: () => { readonly found: T } | { readonly failed: unknown } | undefined;
  /** Most milliseconds of virtual time. */
  readonly withinMs: number;
  /** What it fails with when it has not come by then. */
  readonly late: () => Error;
}

interface Waiting {
  readonly wait: Wait<unknown>;
  readonly until: number;
  readonly resolve: (found: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** Lets virtual time pass exactly as long as somebody waits for something. */
export class VirtualTime {
  readonly #clock: SimulatedClock;
  readonly #waiting = new Set<Waiting>();
  #isPassing = false;

  constructor(clock: SimulatedClock) {
    this.#clock = clock;
  }

  for<T>(wait: Wait<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const until = this.#clock.monotonic() + wait.withinMs;
      this.#waiting.add({ wait, until, resolve: resolve as Waiting['resolve'], reject });
      void this.#pass();
    });
  }

  /** Waits until a promise has settled. @returns what it resolves with. */
  settled<T>(promise: Promise<T>, limits: Pick<Wait<T>, 'withinMs' | 'late'>): Promise<T> {
    let outcome: ReturnType<Wait<T>['look']>;
    promise.then(
      (found) => (outcome = { found }),
      (failed: unknown) => (outcome = { failed }),
    );
    return this.for({ ...limits, look: () => outcome });
  }

  async #pass(): Promise<void> {
    if (this.#isPassing) return;
    this.#isPassing = true;
    try {
      while (this.#waiting.size > 0) {
        const next = Math.min(...[...this.#waiting].map(({ until }) => until));
        const forMs = Math.max(0, next - this.#clock.monotonic());
        // Stops at whatever was waited for, so that the test goes on before anything else happens.
        await this.#clock.run({ forMs, until: () => this.#settleSome(), holds: usesFiles });
        this.#settleSome();
      }
    } catch (error) {
      for (const { reject } of this.#waiting) reject(error);
      this.#waiting.clear();
    } finally {
      this.#isPassing = false;
    }
  }

  #settleSome(): boolean {
    const before = this.#waiting.size;
    for (const waiting of [...this.#waiting]) {
      const { wait, until, resolve, reject } = waiting;
      const outcome = wait.look();
      if (!outcome && this.#clock.monotonic() < until) continue;
      this.#waiting.delete(waiting);
      if (!outcome) reject(wait.late());
      else if ('found' in outcome) resolve(outcome.found);
      else reject(outcome.failed);
    }
    return this.#waiting.size < before;
  }
}

/** As Node names what a file is read, written or closed by. */
const FILE_REQUESTS = /^FSReq|CloseReq$/i;

/** What a store in files reads and writes takes no virtual time: it would never be done in time. */
function usesFiles(): boolean {
  return process.getActiveResourcesInfo().some((resource) => FILE_REQUESTS.test(resource));
}

const clocks = new AsyncLocalStorage<Clock>();

/** Says by which clock what a function starts waits in {@link pause}. */
export function byClock<T>(clock: Clock, callback: () => T): T {
  return clocks.run(clock, callback);
}

/**
 * Waits in the body of a routine, in virtual time of the node that it runs on: on a node that hangs it ends when that goes on,
 * and never on one that crashed. Ends at once, with the reason, when the run is cancelled.
 * @throws an Error outside a test cluster.
 * @public
 */
export function pause(milliseconds: number): Promise<void> {
  const clock = clocks.getStore();
  if (!clock)
    throw new Error('pause() waits in the virtual time of a test cluster, and was called outside one');
  const { signal } = currentRun();
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const timer = clock.after(milliseconds, () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    const abort = (): void => {
      timer.cancel();
      reject(signal.reason as Error);
    };
    signal.addEventListener('abort', abort, { once: true });
  });
}
