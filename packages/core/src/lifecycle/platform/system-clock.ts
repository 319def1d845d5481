import type { Clock, Timer } from '../../ports/clock.js';

/** The machine's own time. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(milliseconds: number, callback: () => void): Timer {
    const timer = setTimeout(callback, milliseconds);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn(callback: () => void): void {
    setImmediate(callback);
  },
};
