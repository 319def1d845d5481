import type { Clock, Timer } from '../../ports/clock.js';

/** The machine's own time; its timers do not hold the process unless asked to. @public */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds: number, callback: () => void, options?: { readonly holdsProcess?: boolean }): Timer {
    const timer = setTimeout(callback, milliseconds);
    if (!options?.holdsProcess) timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn(callback: () => void): void {
    setImmediate(callback);
  },
};
