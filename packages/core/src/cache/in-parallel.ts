/**
 * Does something with each of many, a few at once, without holding them.
 * @throws the first failure, when nothing is under way any more; the reason of the signal.
 */
export async function inParallel<T>(
  items: Iterable<T> | AsyncIterable<T>,
  atOnce: number,
  signal: AbortSignal | undefined,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const underWay = new Set<Promise<void>>();
  let failure: { readonly error: unknown } | undefined;
  try {
    for await (const item of items) {
      signal?.throwIfAborted();
      const working = work(item).catch((error: unknown) => {
        failure ??= { error };
      });
      underWay.add(working);
      void working.then(() => underWay.delete(working));
      while (underWay.size >= atOnce) await Promise.race(underWay);
      if (failure) break;
    }
  } finally {
    await Promise.all(underWay);
  }
  if (failure) throw failure.error;
}
