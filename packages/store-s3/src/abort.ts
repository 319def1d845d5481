import { setTimeout } from 'node:timers/promises';
import { unlessAborted } from '@routine-engine/core/adapter';

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

/**
 * Waits before the next try, longer after each and never as long as others do.
 * @param failures - how often it failed in a row.
 * @throws the signal's reason.
 */
export async function backOff(failures: number, signal?: AbortSignal): Promise<void> {
  const longest = Math.min(LONGEST_BACKOFF_MS, BACKOFF_MS * 2 ** (failures - 1));
  await unlessAborted(setTimeout(Math.random() * longest), signal);
}
