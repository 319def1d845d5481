/** What is to happen when a signal aborts. Node warns of many listeners of one signal, so one listens for all. */
const waiting = new WeakMap<AbortSignal, AbortWatch>();

interface AbortWatch {
  readonly acts: Set<() => void>;
  readonly listener: () => void;
}

/**
 * Does something once when the signal aborts. The same signal may be given any number of times at once.
 * @param act - different for each call; it doesn't throw.
 * @returns what ends the waiting. May be called more than once.
 */
export function whenAborted(signal: AbortSignal, act: () => void): () => void {
  const watch = waiting.get(signal) ?? watchOf(signal);
  watch.acts.add(act);
  return () => {
    if (!watch.acts.delete(act) || watch.acts.size > 0) return;
    signal.removeEventListener('abort', watch.listener);
    if (waiting.get(signal) === watch) waiting.delete(signal);
  };
}

function watchOf(signal: AbortSignal): AbortWatch {
  const acts = new Set<() => void>();
  const listener = (): void => {
    waiting.delete(signal);
    for (const act of acts) act();
  };
  const watch = { acts, listener };
  waiting.set(signal, watch);
  signal.addEventListener('abort', listener, { once: true });
  return watch;
}
