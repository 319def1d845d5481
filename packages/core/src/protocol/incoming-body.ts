import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import { Fifo } from './fifo.js';

/** Small pieces that nobody waits for are put together in blocks of up to this size. */
const BLOCK_BYTES = 16 * 1024;

/** Hears what the reader of one body does. */
export interface BodyReading {
  /** Somebody begins to read. */
  onBegun(): void;
  /** Somebody waits for bytes and there are none. */
  onHungry(): void;
  /** Bytes were taken, or dropped. @param earlyBytes - how many of them had come unasked. */
  onTaken(byteLength: number, earlyBytes: number): void;
  /** Nobody reads these bytes any more: all of those that were given to `push` once, as they were. */
  onReturned(bytes: Uint8Array): void;
  /** The reader wants no more, though more was to come. */
  onStopped(): void;
}

interface Piece {
  bytes: Uint8Array;
  earlyBytes: number;
  /** Memory of this queue that the bytes lie in, perhaps with room behind them. Without it they are as they came. */
  block: Uint8Array | undefined;
}

interface Waiting {
  readonly resolve: (result: IteratorResult<Uint8Array>) => void;
  readonly reject: (error: Error) => void;
}

const DONE: IteratorResult<Uint8Array> = { done: true, value: undefined };

/**
 * A body that arrives in pieces, to be read once. Each chunk is lent until the next one is asked for, or until it is given
 * back, whichever the reader chooses.
 *
 * Whoever is handed such a body reads it or calls `return()` on its iterator: until then its sender keeps it.
 */
export class IncomingBody implements Body {
  readonly byteLength: number;
  readonly sizes: readonly number[];
  readonly #reading: BodyReading;
  readonly #queue = new Fifo<Piece>();
  readonly #waiting: Waiting[] = [];
  #isRead = false;
  #isBegun = false;
  #isEnded = false;
  #failure: Error | undefined;
  /** What the reader gives back as it asks for more. */
  #lent: Uint8Array | undefined;
  /** Of a body that is held: what the reader may give back. */
  #held: WeakSet<Uint8Array> | undefined;
  /** Bytes that arrived and were not taken. */
  bufferedBytes = 0;

  constructor(sizes: readonly number[], byteLength: number, reading: BodyReading) {
    this.sizes = sizes;
    this.byteLength = byteLength;
    this.#reading = reading;
  }

  /** Whether a reader waits for bytes now. */
  get isHungry(): boolean {
    return this.#waiting.length > 0;
  }

  /** Whether all of it is here, so that its sender is needed no more. */
  get isWhole(): boolean {
    return this.#isEnded && !this.#failure;
  }

  chunks(): AsyncIterable<Uint8Array> {
    if (this.#isRead)
      throw new RoutineEngineError('INTERNAL', 'The chunks of a body that streams are read once');
    this.#isRead = true;
    // No generator: its return() before the first next() would stop nothing.
    const iterator: AsyncIterator<Uint8Array, undefined> = {
      next: () => this.#next(),
      return: async () => {
        this.#stop();
        return { done: true, value: undefined };
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  /**
   * What is here already, for a reader that has begun: the next chunk without waiting a turn for it. `undefined` when there
   * is none, or the body has ended or failed, which only the iterator tells.
   */
  readNow(): Uint8Array | undefined {
    if (this.#failure || this.#waiting.length > 0) return undefined;
    this.#giveBackLent();
    const piece = this.#queue.shift();
    return piece && this.#take(piece);
  }

  /** Before the first chunk: each is the reader's until it gives it back, if ever. */
  hold(): void {
    this.#held = new WeakSet();
  }

  /** Returns a chunk of a body that is held. */
  giveBack(chunk: Uint8Array): void {
    if (this.#held?.delete(chunk)) this.#reading.onReturned(chunk);
  }

  /**
   * Takes a piece of the body in.
   * @param isAlone - whether it may be kept without copying. Its memory is given back then, to be used again.
   */
  push(bytes: Uint8Array, isEarly: boolean, isAlone: boolean): void {
    if (this.#isEnded || this.#failure) return isAlone ? this.#reading.onReturned(bytes) : undefined;
    const earlyBytes = isEarly ? bytes.byteLength : 0;
    const waiting = this.#waiting.shift();
    if (waiting) {
      if (isAlone) this.#lend(bytes);
      waiting.resolve({ done: false, value: bytes });
      return this.#reading.onTaken(bytes.byteLength, earlyBytes);
    }
    this.bufferedBytes += bytes.byteLength;
    if (isAlone) this.#queue.push({ bytes, earlyBytes, block: undefined });
    else this.#keepCopy(bytes, earlyBytes);
  }

  /** All of it has arrived. */
  end(): void {
    this.#isEnded = true;
    for (const { resolve } of this.#waiting.splice(0)) resolve(DONE);
  }

  /** The rest will not come: the reader gets the error, also in place of what it did not take. */
  fail(error: Error): void {
    if (this.#isEnded || this.#failure) return;
    this.#failure = error;
    this.#drop();
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #next(): Promise<IteratorResult<Uint8Array>> {
    if (!this.#isBegun) this.#reading.onBegun();
    this.#isBegun = true;
    this.#giveBackLent();
    const piece = this.#queue.shift();
    if (piece) return Promise.resolve({ done: false, value: this.#take(piece) });
    if (this.#failure) return Promise.reject(this.#failure);
    if (this.#isEnded) return Promise.resolve(DONE);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#reading.onHungry();
    });
  }

  #stop(): void {
    // Told first: what is dropped next must not be asked for again.
    if (!this.#isEnded && !this.#failure) this.#reading.onStopped();
    this.#drop();
    this.end();
  }

  #lend(bytes: Uint8Array): void {
    if (this.#held) this.#held.add(bytes);
    else this.#lent = bytes;
  }

  #giveBackLent(): void {
    if (this.#lent) this.#reading.onReturned(this.#lent);
    this.#lent = undefined;
  }

  #take(piece: Piece): Uint8Array {
    if (!piece.block) this.#lend(piece.bytes);
    this.#took(piece);
    return piece.bytes;
  }

  #took({ bytes, earlyBytes }: Piece): void {
    this.bufferedBytes -= bytes.byteLength;
    this.#reading.onTaken(bytes.byteLength, earlyBytes);
  }

  /** Gives back what is buffered as if it had been taken. */
  #drop(): void {
    for (let piece = this.#queue.shift(); piece; piece = this.#queue.shift()) {
      this.#took(piece);
      if (!piece.block) this.#reading.onReturned(piece.bytes);
    }
  }

  /**
   * Many small pieces cost more than their bytes, and a view of a message keeps all of it: so they are copied, one
   * behind the other.
   */
  #keepCopy(bytes: Uint8Array, earlyBytes: number): void {
    const last = this.#queue.last;
    const length = last?.bytes.byteLength ?? 0;
    const total = length + bytes.byteLength;
    if (!last?.block || total > BLOCK_BYTES) {
      const block = bytes.slice();
      this.#queue.push({ bytes: block, earlyBytes, block });
      return;
    }
    if (total > last.block.byteLength) {
      const block = new Uint8Array(Math.min(BLOCK_BYTES, 2 * total));
      block.set(last.bytes);
      last.block = block;
    }
    last.block.set(bytes, length);
    last.bytes = last.block.subarray(0, total);
    last.earlyBytes += earlyBytes;
  }
}
