import { whenAborted } from './when-aborted.js';

/**
 * The same chunks, until the signal aborts: then it throws the signal's reason at once, though no chunk may ever come.
 * @public
 */
export async function* untilAborted(
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  if (!signal) return yield* chunks;
  const iterator = chunks[Symbol.asyncIterator]();
  let ended = false;
  try {
    for (;;) {
      const next = await nextUnlessAborted(iterator, signal);
      ended = next.done === true;
      if (ended) return;
      yield next.value;
    }
  } finally {
    // Not awaited: a generator that waits for its next chunk answers return() only after that chunk.
    if (!ended) void Promise.allSettled([iterator.return?.()]);
  }
}

function nextUnlessAborted<T>(iterator: AsyncIterator<T>, signal: AbortSignal): Promise<IteratorResult<T>> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const settled = whenAborted(signal, () => reject(signal.reason));
    iterator.next().finally(settled).then(resolve, reject);
  });
}

/**
 * What came of an operation; but the signal's reason at once when it aborts, though the operation still goes on then.
 * @public
 */
export async function unlessAborted<T>(operation: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return operation;
  let settled: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    settled = whenAborted(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([operation, aborted]);
  } finally {
    settled?.();
  }
}
