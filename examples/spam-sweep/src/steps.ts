/** How far a long computation is, in whatever it counts: mails, epochs. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * A long computation that pauses after each part. Whoever drives it may report progress, let other work of the thread run,
 * or drop it: the mathematics stays free of engines, events and promises.
 */
export type Steps<T> = Generator<Progress, T, undefined>;

/** Drives `steps` to the end without a pause. */
export function complete<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}
