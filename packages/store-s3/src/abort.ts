import { setTimeout } from 'node:timers/promises';

/** First wait before something is tried again, in milliseconds; it doubles with every further try. */
const BACKOFF_MS = 50;
const LONGEST_BACKOFF_MS = 5_000;

/**
 * A signal that aborts as the given one does. Anybody may give one signal to any number of calls at once, but Node warns of
 * many listeners of one: so they listen to this.
 */
export function followerOf(signal: AbortSignal | undefined): AbortSignal | undefined {
  return signal && AbortSignal.any([signal]);
}

/** What came of it; but the signal's reason at once when it aborts, though it is still being cleaned up then. */
export async function unlessAborted<T>(operation: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return operation;
  let stop: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
  });
  try {
    return await Promise.race([operation, aborted]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}

/**
 * Waits before the next try, longer after each and never as long as others do.
 * @param failures - how often it failed in a row.
 * @throws the signal's reason.
 */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1));
  await unlessAborted(setTimeout(Math.random() * longest), signal);
}
