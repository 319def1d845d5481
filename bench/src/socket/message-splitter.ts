/** The length before each message: 32 bits, little endian. */
export const LENGTH_BYTES = 4;
/** In place of a length: the peer closes, and says nothing more. */
export const GOODBYE = 0;

/** Shorter messages are copied out of a chunk, so that they don't keep it. */
const COPIED_BYTES = 1_024;

/** What was found in the bytes of a stream. */
export interface SplitterEvents {
  /** A whole message, which belongs to whoever hears of it. */
  message(bytes: Uint8Array): void;
  /** The peer said that it closes. */
  goodbye(): void;
  /** Memory for a message that does not lie within a chunk, of its very length. */
  memory(byteLength: number): Uint8Array;
}

/**
 * Finds the messages in the chunks of a stream. A long one that lies within a chunk is a view of it; any other is put together
 * in memory of its own, each byte copied once.
 */
export class MessageSplitter {
  readonly #events: SplitterEvents;
  readonly #length = Buffer.alloc(LENGTH_BYTES);
  #lengthFilled = 0;
  /** The message that is being put together. */
  #message: Uint8Array | undefined;
  #messageFilled = 0;
  #isViewed = false;

  constructor(events: SplitterEvents) {
    this.#events = events;
  }

  /**
   * Takes the next chunk, whose bytes nobody changes any more.
   * @returns whether some message is a view of it.
   */
  push(chunk: Buffer): boolean {
    this.#isViewed = false;
    let at = 0;
    while (at < chunk.byteLength)
      at = this.#message ? this.#fill(this.#message, chunk, at) : this.#begin(chunk, at);
    return this.#isViewed;
  }

  #begin(chunk: Buffer, start: number): number {
    const copied = chunk.copy(this.#length, this.#lengthFilled, start);
    this.#lengthFilled += copied;
    const at = start + copied;
    if (this.#lengthFilled < LENGTH_BYTES) return at;
    this.#lengthFilled = 0;
    const length = this.#length.readUInt32LE();
    if (length === GOODBYE) {
      this.#events.goodbye();
      return at;
    }
    const end = at + length;
    if (end <= chunk.byteLength) {
      this.#isViewed ||= length > COPIED_BYTES;
      const message = chunk.subarray(at, end);
      this.#events.message(length > COPIED_BYTES ? message : Uint8Array.from(message));
      return end;
    }
    this.#message = this.#events.memory(length);
    this.#messageFilled = 0;
    return at;
  }

  #fill(message: Uint8Array, chunk: Buffer, at: number): number {
    const copied = chunk.copy(message, this.#messageFilled, at);
    this.#messageFilled += copied;
    if (this.#messageFilled === message.byteLength) {
      this.#message = undefined;
      this.#events.message(message);
    }
    return at + copied;
  }
}
