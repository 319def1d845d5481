import type { CancelSignal } from '../ports/cancel-signal.js';

/** A {@link CancelSignal} and the means to cancel it. */
export class Cancellation implements CancelSignal {
  #reason: Error | undefined;
  #listeners: Set<(reason: Error) => void> | undefined;
  #controller: AbortController | undefined;

  get reason(): Error | undefined {
    return this.#reason;
  }

  onCancel(listener: (reason: Error) => void): () => void {
    if (this.#reason) {
      listener(this.#reason);
      return () => undefined;
    }
    const listeners = (this.#listeners ??= new Set());
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }

  get abortSignal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Tells everybody once; later calls do nothing. */
  cancel(reason: Error): void {
    if (this.#reason) return;
    this.#reason = reason;
    this.#controller?.abort(reason);
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener(reason);
  }
}
