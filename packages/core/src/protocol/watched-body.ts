import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Encoded } from '../model/encoded.js';
import { IncomingBody } from './incoming-body.js';

/** Whether the bytes of a body are only there as they are read: it is read once, or given up. */
export function isStreaming(body: Body): boolean {
  return !body.parts && !body.value;
}

/** Hears how the reading of a body ends: one of these, once. */
export interface BodyWatcher {
  /** All of it was read. */
  onEnd?(): void;
  /** The rest can't be read. */
  onFailed?(error: unknown): void;
  /** Its reader wants no more. */
  onGivenUp?(): void;
}

/**
 * A body that is read in chunks, with somebody who hears how that ends, and may end it. Who takes its value in this process
 * reads no chunks, and is not heard of.
 */
export class WatchedBody implements Body {
  readonly byteLength: number;
  readonly sizes: readonly number[];
  readonly value?: Encoded;
  /** The body whose chunks these are. */
  readonly source: Body;
  readonly #watcher: BodyWatcher;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #isOver = false;
  #stopped: Error | undefined;

  constructor(source: Body, watcher: BodyWatcher) {
    this.source = source;
    this.byteLength = source.byteLength;
    this.sizes = source.sizes;
    if (source.value) this.value = source.value;
    this.#watcher = watcher;
  }

  /** Whether all of it has come from its sender, though it may not be read yet. */
  get isWhole(): boolean {
    return this.source instanceof IncomingBody && this.source.isWhole;
  }

  /** As {@link IncomingBody.readNow}; `undefined` also when it was stopped, or does not come from a connection. */
  readNow(): Uint8Array | undefined {
    if (this.#stopped || !(this.source instanceof IncomingBody)) return undefined;
    return this.source.readNow();
  }

  chunks(): AsyncIterable<Uint8Array> {
    this.#throwIfStopped();
    if (this.#iterator)
      throw new RoutineEngineError('INTERNAL', 'The chunks of a body that streams are read once');
    const iterator = this.#open();
    // No generator: its return() waits for the chunk that is asked for, and before the first next() it stops nothing.
    const watched: AsyncIterator<Uint8Array> = {
      next: () => this.#next(iterator),
      return: async () => {
        this.#end(() => this.#watcher.onGivenUp?.());
        await iterator.return?.();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => watched };
  }

  /** Ends the reading: the reader gets the error, and the sender hears that no more is wanted. Nobody is told. */
  stop(error: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopped = error;
    const iterator = this.#iterator ?? this.#open();
    // Its failure is nobody's: the bytes are not wanted.
    void Promise.allSettled([iterator.return?.()]);
  }

  #open(): AsyncIterator<Uint8Array> {
    return (this.#iterator = this.source.chunks()[Symbol.asyncIterator]());
  }

  async #next(iterator: AsyncIterator<Uint8Array>): Promise<IteratorResult<Uint8Array>> {
    try {
      this.#throwIfStopped();
      const next = await iterator.next();
      this.#throwIfStopped();
      if (next.done === true) this.#end(() => this.#watcher.onEnd?.());
      return next;
    } catch (error) {
      this.#end(() => this.#watcher.onFailed?.(error));
      throw error;
    }
  }

  #throwIfStopped(): void {
    if (this.#stopped) throw this.#stopped;
  }

  #end(tell: () => void): void {
    if (this.#isOver) return;
    this.#isOver = true;
    tell();
  }
}
