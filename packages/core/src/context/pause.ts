import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock } from '../ports/clock.js';

/** Waits for so many milliseconds, or until the signal is cancelled. */
export function pause(milliseconds: number, clock: Clock, cancel: CancelSignal): Promise<void> {
  return new Promise((resolve) => {
    if (cancel.reason) return resolve();
    const stopListening = cancel.onCancel(() => {
      timer.cancel();
      resolve();
    });
    const over = (): void => {
      stopListening();
      resolve();
    };
    // A call that waits so may be all that the process has left to do.
    const timer = clock.after(milliseconds, over, { holdsProcess: true });
  });
}
