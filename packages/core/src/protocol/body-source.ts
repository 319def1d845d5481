import type { Body } from '../model/body.js';
import { IncomingBody } from './incoming-body.js';
import { WatchedBody } from './watched-body.js';

/** Small parts are gathered into chunks of this size. */
const GATHERED_BYTES = 64 * 1024;
/** A part of at least this size is sent as it is. */
const LARGE_PART_BYTES = 16 * 1024;

/** Where the bytes of an outgoing body come from. */
export interface BodySource {
  /** Whether bytes are only lent until the next are asked for, so that whoever keeps them copies them. */
  readonly isLent: boolean;
  /** The next bytes, at most so many; `undefined` when there are none in hand. */
  take(most: number): Uint8Array | undefined;
  /** To be called once the bytes that were taken last are needed no more, if that is ever known. */
  readonly released: (() => void) | undefined;
  /** Gets more when there are none in hand, or finds the end. @throws what the body throws. */
  pull(): Promise<void>;
  /** Whether all bytes were taken and no more come. */
  readonly isDone: boolean;
  /** Tells the body that no more is wanted. Its own failure at that is of no consequence. */
  stop(): void;
}

/** The bytes of a body, without copying where it is in memory or came from another connection. */
export function sourceOf(body: Body): BodySource {
  return body.parts ? new PartsSource(body.parts) : new ChunkSource(body);
}

/** A body in memory. */
class PartsSource implements BodySource {
  readonly isLent = false;
  readonly released = undefined;
  #parts: readonly Uint8Array[];
  #index = 0;
  #offset = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#parts = parts;
  }

  take(most: number): Uint8Array | undefined {
    this.#skipEmpty();
    const part = this.#parts[this.#index];
    if (!part) return undefined;
    const rest = part.byteLength - this.#offset;
    const isLast = this.#index === this.#parts.length - 1;
    if (rest >= LARGE_PART_BYTES || rest >= most || isLast) return this.#cut(part, most);
    return this.#gather(Math.min(most, GATHERED_BYTES));
  }

  get isDone(): boolean {
    this.#skipEmpty();
    return this.#index === this.#parts.length;
  }

  async pull(): Promise<void> {
    this.#skipEmpty();
  }

  stop(): void {
    this.#parts = [];
  }

  #cut(part: Uint8Array, most: number): Uint8Array {
    const bytes = part.subarray(this.#offset, this.#offset + most);
    this.#offset += bytes.byteLength;
    return bytes;
  }

  #gather(most: number): Uint8Array {
    const chunk = new Uint8Array(most);
    let length = 0;
    for (; length < most; this.#skipEmpty()) {
      const part = this.#parts[this.#index];
      if (!part || part.byteLength - this.#offset >= LARGE_PART_BYTES) break;
      const bytes = this.#cut(part, most - length);
      chunk.set(bytes, length);
      length += bytes.byteLength;
    }
    return chunk.subarray(0, length);
  }

  #skipEmpty(): void {
    while (this.#offset === this.#parts[this.#index]?.byteLength) {
      this.#index += 1;
      this.#offset = 0;
    }
  }
}

/** A body that is read once, in chunks. */
class ChunkSource implements BodySource {
  readonly isLent: boolean;
  released: (() => void) | undefined;
  readonly #body: Body;
  /** Gives what is here already, when that is known. */
  readonly #ready: { readNow(): Uint8Array | undefined } | undefined;
  /** The body, when it came from another connection: its chunks are messages that nobody else holds, so they are sent. */
  readonly #received: IncomingBody | undefined;
  #iterator: AsyncIterator<Uint8Array> | undefined;
  #held: Uint8Array | undefined;
  #releaseHeld: ((bytes: number) => void) | undefined;
  #isStopped = false;
  /** What is pulled comes before all that is ready. */
  #isPulling = false;
  isDone = false;

  constructor(body: Body) {
    this.#body = body;
    const watched = body instanceof WatchedBody ? body : undefined;
    const source = watched?.source ?? body;
    if (source instanceof IncomingBody) {
      this.#received = source;
      this.#ready = watched ?? source;
    }
    this.#received?.hold();
    this.isLent = !this.#received && !body.chunksStay;
  }

  take(most: number): Uint8Array | undefined {
    if (!this.#held) this.#holdReady();
    const held = this.#held;
    if (!held) return undefined;
    this.#held = held.byteLength > most ? held.subarray(most) : undefined;
    const taken = held.byteLength > most ? held.subarray(0, most) : held;
    const release = this.#releaseHeld;
    this.released = release && (() => release(taken.byteLength));
    return taken;
  }

  async pull(): Promise<void> {
    const iterator = (this.#iterator ??= this.#body.chunks()[Symbol.asyncIterator]());
    this.#isPulling = true;
    while (!this.#held && !this.isDone) {
      const next = await iterator.next();
      if (next.done === true || this.#isStopped) this.isDone = true;
      else if (next.value.byteLength > 0) this.#hold(next.value);
    }
    this.#isPulling = false;
  }

  /** Without waiting, so that all that came in one turn goes out in the next. */
  #holdReady(): void {
    if (!this.#iterator || this.#isPulling || this.isDone || this.#isStopped) return;
    for (let chunk = this.#ready?.readNow(); chunk; chunk = this.#ready?.readNow())
      if (chunk.byteLength > 0) return this.#hold(chunk);
  }

  #hold(chunk: Uint8Array): void {
    this.#held = chunk;
    const received = this.#received;
    if (!received) return;
    let left = chunk.byteLength;
    this.#releaseHeld = (bytes) => {
      left -= bytes;
      if (left === 0) received.giveBack(chunk);
    };
  }

  stop(): void {
    this.#isStopped = true;
    this.#held = undefined;
    // Also of a body that nobody began to read: it may hold a stream of its own.
    void Promise.allSettled([this.#close()]);
  }

  async #close(): Promise<void> {
    this.#iterator ??= this.#body.chunks()[Symbol.asyncIterator]();
    await this.#iterator.return?.();
  }
}
