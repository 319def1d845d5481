import type { Cancellation } from '../context/cancellation.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';

/** How one call ended. */
export type Settled = PromiseSettledResult<unknown>;

interface MappedCallsParts {
  readonly concurrency: number;
  readonly ordered: boolean;
  /** A call that fails ends nothing. */
  readonly settled: boolean;
  /** Cancels every call. */
  readonly cancellation: Cancellation;
  /** Calls a function in the scope that calls and items belong to. */
  readonly within: <T>(callback: () => T) => T;
  readonly call: (item: unknown, index: number) => Promise<unknown>;
}

/** Calls for many items, as many at once as may be; no more are outstanding than that, however many items there are. */
export class MappedCalls {
  readonly #parts: MappedCallsParts;
  readonly #items: Iterable<unknown> | AsyncIterable<unknown>;
  readonly #isAsync: boolean;
  #source: Iterator<unknown> | AsyncIterator<unknown> | undefined;
  /** Results to be taken: by the index of their items, or by the order in which they came. */
  readonly #ready = new Map<number, Settled>();
  #called = 0;
  #settledCalls = 0;
  #taken = 0;
  #pulling = false;
  #exhausted = false;
  /** Why nothing more comes. */
  #failure: { readonly error: unknown } | undefined;
  #wake: (() => void) | undefined;
  readonly #stopListening: () => void;

  constructor(items: Iterable<unknown> | AsyncIterable<unknown>, parts: MappedCallsParts) {
    this.#items = items;
    this.#isAsync = Symbol.asyncIterator in Object(items);
    this.#parts = parts;
    this.#stopListening = parts.cancellation.onCancel((error) => this.#fail(error));
  }

  /** The next result; `undefined` when all were taken. @throws the first failure, unless failures are results. */
  async next(): Promise<Settled | undefined> {
    for (;;) {
      this.#parts.within(() => this.#pump());
      if (this.#failure) throw this.#failure.error;
      const ready = this.#ready.get(this.#taken);
      if (ready) {
        this.#ready.delete(this.#taken);
        this.#taken += 1;
        // While the caller is busy with this one, all others may be.
        this.#parts.within(() => this.#pump());
        return ready;
      }
      if (this.#exhausted && this.#taken === this.#called) return undefined;
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  /** Cancels what is under way, and closes the items. */
  async close(): Promise<void> {
    this.#stopListening();
    if (this.#taken < this.#called) {
      this.#parts.cancellation.cancel(
        new RoutineEngineError('RUN_CANCELLED', 'The results of a map are not wanted any more'),
      );
    }
    this.#ready.clear();
    if (this.#exhausted || !this.#source) return;
    this.#exhausted = true;
    const closed = this.#parts.within(() => this.#source?.return?.());
    // A source that is asked for its next item answers only after that; nobody is to wait for it.
    if (this.#pulling) void Promise.allSettled([closed]);
    else await closed;
  }

  /** Makes calls as long as there is room. */
  #pump(): void {
    while (this.#hasRoom()) {
      try {
        this.#source ??= open(this.#items);
        const next = this.#source.next();
        if (this.#isAsync) return this.#pullLater(Promise.resolve(next));
        this.#take(next as IteratorResult<unknown>);
      } catch (error) {
        return this.#failSource(error);
      }
    }
  }

  #hasRoom(): boolean {
    const { concurrency } = this.#parts;
    return !this.#exhausted && !this.#pulling && !this.#failure && this.#called - this.#taken < concurrency;
  }

  #pullLater(next: Promise<IteratorResult<unknown>>): void {
    this.#pulling = true;
    next.then(
      (result) => {
        this.#pulling = false;
        if (this.#exhausted || this.#failure) return;
        this.#parts.within(() => {
          this.#take(result);
          this.#pump();
        });
      },
      (error: unknown) => {
        this.#pulling = false;
        this.#failSource(error);
      },
    );
  }

  #take(next: IteratorResult<unknown>): void {
    if (next.done) {
      this.#exhausted = true;
      return this.#rouse();
    }
    const index = this.#called;
    this.#called += 1;
    this.#call(next.value, index).then(
      (value) => this.#settle(index, { status: 'fulfilled', value }),
      (reason: unknown) => this.#settle(index, { status: 'rejected', reason }),
    );
  }

  /** What makes the arguments may throw: that is a failure of this call. */
  async #call(item: unknown, index: number): Promise<unknown> {
    return this.#parts.call(item, index);
  }

  #settle(index: number, result: Settled): void {
    const { ordered, settled } = this.#parts;
    if (this.#failure) return;
    if (result.status === 'rejected' && !settled) return this.#fail(result.reason);
    this.#ready.set(ordered ? index : this.#settledCalls, result);
    this.#settledCalls += 1;
    if (!ordered || index === this.#taken) this.#rouse();
  }

  /** A source that threw is closed by that. */
  #failSource(error: unknown): void {
    this.#exhausted = true;
    this.#fail(error);
  }

  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }
}

function open(items: Iterable<unknown> | AsyncIterable<unknown>): Iterator<unknown> | AsyncIterator<unknown> {
  return Symbol.asyncIterator in Object(items)
    ? (items as AsyncIterable<unknown>)[Symbol.asyncIterator]()
    : (items as Iterable<unknown>)[Symbol.iterator]();
}
