import { RoutineEngineError, dropBody, LIMITS, type Body } from '@routine-engine/core/adapter';
import type { Wire } from './wire.js';

/** What one request for bytes, or its end, weighs on the wire. */
const REQUEST_BYTES = 32;

/** Who waits for the next chunk. */
interface Waiting {
  readonly resolve: (next: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: Error) => void;
}

/** What carries the bytes of one body: the wires of its connection, until that ends. */
export interface Carriage {
  readonly toSender: Wire;
  readonly toReader: Wire;
  /** Hears the end of the connection. @returns stops listening. */
  onEnd(listener: () => void): () => void;
}

/** Whether a body goes with its directive, all at once. */
export function goesInline(body: Body): boolean {
  return body.parts !== undefined && body.byteLength <= LIMITS.inlineBodyBytes;
}

/** What a reader in another process gets of a body that goes inline: the bytes, and not the value that they are of. */
export function inlineBody({ sizes, byteLength, parts = [] }: Body): Body {
  return {
    sizes,
    byteLength,
    parts,
    async *chunks() {
      yield* parts;
    },
  };
}

/** A body that is read where it is sent from, chunk by chunk as its reader asks. */
export class CarriedBody implements Body {
  readonly byteLength: number;
  readonly sizes: readonly number[];
  readonly #source: Body;
  readonly #carriage: Carriage;
  readonly #forget: () => void;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #waiting: Waiting | undefined;
  /** How it ended; the end of the connection is an error for whoever reads on. */
  #end: 'over' | 'broken' | undefined;
  #isRead = false;
  #isStopped = false;

  constructor(source: Body, carriage: Carriage) {
    this.byteLength = source.byteLength;
    this.sizes = source.sizes;
    this.#source = source;
    this.#carriage = carriage;
    this.#forget = carriage.onEnd(() => this.#break());
  }

  chunks(): AsyncIterable<Uint8Array> {
    if (this.#isRead) throw new RoutineEngineError('INTERNAL', 'The chunks of a body are read once');
    this.#isRead = true;
    const iterator: AsyncIterator<Uint8Array> = {
      next: () => this.#next(),
      return: async () => {
        this.#giveUp();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#end === 'broken') return Promise.reject(broken());
    if (this.#end) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject };
      this.#carriage.toSender.carry({ bytes: REQUEST_BYTES, arrive: () => this.#read() });
    });
  }

  /** In the process of the sender. */
  #read(): void {
    if (this.#end) return;
    const { toReader } = this.#carriage;
    this.#iterator ??= this.#source.chunks()[Symbol.asyncIterator]();
    this.#iterator.next().then(
      (next) => {
        const copy = next.done === true ? next : { done: false, value: Uint8Array.from(next.value) };
        const bytes = REQUEST_BYTES + (next.done === true ? 0 : next.value.byteLength);
        toReader.carry({ bytes, arrive: () => this.#arrived(copy) });
      },
      (error: Error) => toReader.carry({ bytes: REQUEST_BYTES, arrive: () => this.#failed(error) }),
    );
  }

  #arrived(next: IteratorResult<Uint8Array>): void {
    if (next.done === true) this.#finish();
    this.#takeWaiting()?.resolve(next);
  }

  #failed(error: Error): void {
    this.#finish();
    this.#takeWaiting()?.reject(error);
  }

  #giveUp(): void {
    if (this.#end) return;
    this.#end = 'over';
    this.#takeWaiting()?.resolve({ done: true, value: undefined });
    this.#carriage.toSender.carry({ bytes: REQUEST_BYTES, arrive: () => this.#stopSource() });
  }

  /** Also what was given up before: the news of that may never have come through. */
  #break(): void {
    this.#end ??= 'broken';
    this.#stopSource();
    this.#takeWaiting()?.reject(broken());
  }

  #takeWaiting(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    return waiting;
  }

  #finish(): void {
    this.#end ??= 'over';
    this.#forget();
  }

  /** Its failure is nobody's: the bytes are not wanted. */
  #stopSource(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#forget();
    if (this.#iterator) void Promise.allSettled([this.#iterator.return?.()]);
    else dropBody(this.#source);
  }
}

function broken(): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_CLOSED', 'The connection ended before all of a body had come');
}
