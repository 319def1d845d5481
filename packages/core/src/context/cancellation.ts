import type { CancelSignal } from '../ports/cancel-signal.js';

type Listener = (reason: Error) => void;

/** A {@link CancelSignal} and the means to cancel it. */
export class Cancellation implements CancelSignal {
  #reason: Error | undefined;
  /** The first listener by itself: most have no other, and a Set costs more than all else here. */
  #first: Listener | undefined;
  #others: Set<Listener> | undefined;
  #controller: AbortController | undefined;

  get reason(): Error | undefined {
    return this.#reason;
  }

  onCancel(listener: Listener): () => void {
    if (this.#reason) {
      listener(this.#reason);
      return () => undefined;
    }
    // Behind those who came before, also when the first of them has left.
    if (this.#first || this.#others?.size) {
      const others = (this.#others ??= new Set());
      others.add(listener);
      return () => void others.delete(listener);
    }
    this.#first = listener;
    return () => {
      if (this.#first === listener) this.#first = undefined;
    };
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
    const [first, others] = [this.#first, this.#others];
    this.#first = undefined;
    this.#others = undefined;
    first?.(reason);
    for (const listener of others ?? []) listener(reason);
  }
}
