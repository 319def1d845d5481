import assert from 'node:assert/strict';

/** A prime: no piece, frame or window is a multiple of it, so that pieces that change places are noticed. */
const PERIOD = 65_521;
/** Longest stretch that is given at once. */
export const STRETCH_BYTES = 1024 * 1024;

let table: Uint8Array | undefined;

function bytes(): Uint8Array {
  if (table) return table;
  table = new Uint8Array(PERIOD + STRETCH_BYTES);
  let state = 1;
  for (let at = 0; at < PERIOD; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    table[at] = state >>> 24;
  }
  for (let at = PERIOD; at < table.byteLength; at += PERIOD)
    table.copyWithin(at, 0, Math.min(PERIOD, table.byteLength - at));
  return table;
}

/** Where a sequence of bytes begins: another one for each seed. */
function offset(seed: number): number {
  return (seed * 7_919) % PERIOD;
}

/**
 * Bytes of an endless sequence that belongs to the seed: a view of memory that all share, so that large bodies cost nothing to make.
 * @param length - at most {@link STRETCH_BYTES}.
 */
export function patternAt(at: number, length: number, seed = 0): Uint8Array {
  const start = (at + offset(seed)) % PERIOD;
  return bytes().subarray(start, start + length);
}

/** The first bytes of the sequence, in memory of their own. */
export function patternOf(length: number, seed = 0): Uint8Array {
  const copy = new Uint8Array(length);
  for (let at = 0; at < length; at += STRETCH_BYTES)
    copy.set(patternAt(at, Math.min(STRETCH_BYTES, length - at), seed), at);
  return copy;
}

/** Compares what comes with the sequence, however it is cut. */
export class PatternCheck {
  readonly #seed: number;
  readonly #what: string;
  byteLength = 0;

  constructor(what: string, seed = 0) {
    this.#what = what;
    this.#seed = seed;
  }

  /** @throws `AssertionError` that names the first byte that is wrong. */
  add(chunk: Uint8Array): void {
    for (let from = 0; from < chunk.byteLength; from += STRETCH_BYTES) {
      const got = chunk.subarray(from, from + STRETCH_BYTES);
      const wanted = patternAt(this.byteLength, got.byteLength, this.#seed);
      if (Buffer.compare(got, wanted) !== 0) {
        const wrong = this.byteLength + got.findIndex((byte, at) => byte !== wanted[at]);
        assert.fail(`byte ${wrong} of ${this.#what} is not the one that was sent`);
      }
      this.byteLength += got.byteLength;
    }
  }

  /** @throws `AssertionError` unless all bytes have come, and no more. */
  end(byteLength: number): void {
    assert.equal(this.byteLength, byteLength, `number of bytes that came of ${this.#what}`);
  }
}
