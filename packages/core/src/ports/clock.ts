/** A timer that has not fired yet. @public */
export interface Timer {
  /** Stops it; does nothing when it has fired or was stopped. */
  cancel(): void;
}

/** Time and timers, so that a simulation owns them. @public */
export interface Clock {
  /** Milliseconds since 1970 (UTC). May jump when the machine's clock is set. */
  now(): number;
  /** Milliseconds that only grow, from an arbitrary start; for durations. */
  monotonic(): number;
  /**
   * Calls once after that many milliseconds.
   * @param options - `holdsProcess`: whether the process stays alive for it, as for a call that waits for nothing else.
   *   Default no.
   */
  after(milliseconds: number, callback: () => void, options?: { readonly holdsProcess?: boolean }): Timer;
  /** Calls once when the events that are in hand have been handled: the next turn of the loop. */
  nextTurn(callback: () => void): void;
}
