/**
 * The promise of a call that is refused. Inside a run it counts as handled: a sub-call that nobody awaits must not end
 * the process. Outside, a rejection that nobody handles stays as loud as any other.
 */
export function rejected(error: unknown, insideRun: boolean): Promise<never> {
  const promise: Promise<never> = Promise.reject(error as Error);
  return insideRun ? handled(promise) : promise;
}

/** The same promise; that a body does not await it must not end its process or thread. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
