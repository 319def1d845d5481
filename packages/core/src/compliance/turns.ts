import { systemClock } from '../lifecycle/platform/system-clock.js';

/** Lets everything happen that is in hand: the next turn of the event loop. */
export function turn(): Promise<void> {
  return new Promise((resolve) => systemClock.nextTurn(resolve));
}

/** That many turns, one after the other. */
export async function turns(count: number): Promise<void> {
  for (let left = count; left > 0; left -= 1) await turn();
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void systemClock.after(milliseconds, resolve, { holdsProcess: true }));
}

/** Looks again and again until it is so. @returns whether it came to be so, within about two seconds. */
export async function comesTrue(isSo: () => boolean): Promise<boolean> {
  for (let look = 0; look < 250 && !isSo(); look += 1) await (look < 50 ? turn() : pause(10));
  return isSo();
}

/**
 * Waits for a promise, as long as something goes on.
 * @param progress - a number that changes as long as something goes on.
 * @returns whether it settled; false when nothing went on for a tenth of a second.
 */
export async function settles(promise: Promise<unknown>, progress: () => number): Promise<boolean> {
  let isSettled = false;
  const settled = (): void => void (isSettled = true);
  promise.then(settled, settled);
  let last = progress();
  for (let still = 0; still < 20 && !isSettled; still += 1) {
    await pause(5);
    if (progress() === last) continue;
    last = progress();
    still = 0;
  }
  return isSettled;
}
