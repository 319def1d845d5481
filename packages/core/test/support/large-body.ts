import type { Body } from '../../src/model/body.js';
import { pattern } from '../protocol/connected.js';

const CHUNK_BYTES = 256 * 1024;

/** A large body that is made as it is read, and tells how much of it was asked for. */
export class LargeBody implements Body {
  readonly byteLength: number;
  readonly sizes: readonly number[];
  /** Bytes that were asked for so far. */
  given = 0;
  /** Its reader wanted no more. */
  isGivenUp = false;
  /** Thrown in place of the bytes from here on. */
  readonly #breaksAt: number;
  readonly #error: Error | undefined;

  constructor(byteLength: number, breaks?: { readonly at: number; readonly error: Error }) {
    this.byteLength = byteLength;
    this.sizes = [byteLength];
    this.#breaksAt = breaks?.at ?? Number.POSITIVE_INFINITY;
    this.#error = breaks?.error;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    let isEnded = false;
    try {
      while (this.given < this.byteLength) {
        if (this.given >= this.#breaksAt) {
          isEnded = true;
          throw this.#error;
        }
        const at = this.given;
        const length = Math.min(CHUNK_BYTES, this.byteLength - at);
        this.given += length;
        yield pattern(length, at / CHUNK_BYTES);
      }
      isEnded = true;
    } finally {
      this.isGivenUp = !isEnded;
    }
  }
}

/** The same bytes in memory. */
export function largeBytes(byteLength: number): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  for (let at = 0; at < byteLength; at += CHUNK_BYTES)
    bytes.set(pattern(Math.min(CHUNK_BYTES, byteLength - at), at / CHUNK_BYTES), at);
  return bytes;
}
