/** Told when something is to stop. Lighter than an AbortSignal, which it can give. @public */
export interface CancelSignal {
  /** The reason once it is cancelled; `undefined` before. */
  readonly reason: Error | undefined;
  /**
   * Calls once when cancelled, at once if it is already. One function given twice is heard once.
   * @returns a function that takes the listener back.
   */
  onCancel(listener: (reason: Error) => void): () => void;
  /** The same as an AbortSignal; made when first asked for. */
  readonly abortSignal: AbortSignal;
}
