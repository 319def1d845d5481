import type { Body } from '../../src/model/body.js';

const CHUNK_BYTES = 128 * 1024;

/** A body that streams, and tells what became of it. */
export class TrackedBody implements Body {
  readonly byteLength = 5 * CHUNK_BYTES;
  readonly sizes = [5 * CHUNK_BYTES];
  /** How often its reading was begun. */
  opened = 0;
  /** It was read to its end, broke, or was given up. */
  isOver = false;
  #given = 0;
  /** How many chunks come before it breaks. */
  readonly #chunks: number;

  constructor(breaks: boolean) {
    this.#chunks = breaks ? 3 : 5;
  }

  chunks(): AsyncIterable<Uint8Array> {
    this.opened += 1;
    const iterator: AsyncIterator<Uint8Array> = {
      next: () => this.#next(),
      return: () => {
        this.isOver = true;
        return Promise.resolve({ done: true, value: undefined });
      },
    };
    return { [Symbol.asyncIterator]: () => iterator };
  }

  async #next(): Promise<IteratorResult<Uint8Array>> {
    if (this.#given < this.#chunks) {
      this.#given += 1;
      return { done: false, value: new Uint8Array(CHUNK_BYTES) };
    }
    this.isOver = true;
    if (this.#chunks < 5) throw new Error('the disk is gone');
    return { done: true, value: undefined };
  }
}
