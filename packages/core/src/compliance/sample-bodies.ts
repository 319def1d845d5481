import assert from 'node:assert/strict';
import { bodyOf, type Body } from '../model/body.js';
import type { Connection, Envelope } from '../ports/transport.js';
import { PatternCheck, patternAt, patternOf, STRETCH_BYTES } from './byte-pattern.js';
import { Heard } from './heard.js';

/** A body in memory, with a part for each size; its bytes are those of the seed's sequence. */
export function inMemory(sizes: readonly number[], seed = 0): Body {
  let at = 0;
  const parts = sizes.map((size) => {
    const part = size <= STRETCH_BYTES ? patternAt(at, size, seed) : patternOf(size, seed);
    at += size;
    return part;
  });
  const [head = new Uint8Array(0), ...buffers] = parts;
  return bodyOf({ head, buffers });
}

/** A body that is made as it is read, in chunks of one size, and tells how far that has come. */
export class StreamedBody implements Body {
  readonly sizes: readonly number[];
  /** Bytes that were asked for so far. */
  asked = 0;
  /** Nobody asks for more: all were, or its reader gave up. */
  isOver = false;
  readonly #chunkBytes: number;
  readonly #seed: number;

  constructor(
    readonly byteLength: number,
    { chunkBytes = 256 * 1024, seed = 0 }: { readonly chunkBytes?: number; readonly seed?: number } = {},
  ) {
    this.sizes = [byteLength];
    this.#chunkBytes = chunkBytes;
    this.#seed = seed;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    try {
      while (this.asked < this.byteLength) {
        const at = this.asked;
        const length = Math.min(this.#chunkBytes, this.byteLength - at);
        this.asked += length;
        yield patternAt(at, length, this.#seed);
      }
    } finally {
      this.isOver = true;
    }
  }
}

/** A body whose chunks are what the generator gives. */
export function chunked(byteLength: number, chunks: () => AsyncGenerator<Uint8Array>): Body {
  return { byteLength, sizes: [byteLength], chunks };
}

/** The body of an envelope. @throws `AssertionError` when it has none. */
export function bodyIn({ body, header }: Envelope): Body {
  assert.ok(body, `the envelope ${JSON.stringify(header)} came without its body`);
  return body;
}

/** Reads a body to its end. @throws `AssertionError` unless it is the sequence of the seed, and so long. */
export async function assertBody(envelope: Envelope, byteLength: number, seed = 0): Promise<void> {
  const what = `a body of ${byteLength} bytes`;
  const body = bodyIn(envelope);
  assert.equal(body.byteLength, byteLength, `byteLength of ${what}`);
  const check = new PatternCheck(what, seed);
  for await (const chunk of body.chunks()) check.add(chunk);
  check.end(byteLength);
}

/** A reader by hand. */
export function readerOf(envelope: Envelope): AsyncIterator<Uint8Array> {
  return bodyIn(envelope).chunks()[Symbol.asyncIterator]();
}

/** Sends numbered envelopes as fast as the connection takes them. */
export async function sendNumbers(connection: Connection, count: number, extra: object = {}): Promise<void> {
  for (let n = 0; n < count; n += 1)
    if (!connection.send({ header: { ...extra, n } })) await connection.drained();
}

/** Sends until there is no room. @throws `AssertionError` when there always is. */
export function fill(connection: Connection): void {
  const body = inMemory([200_000]);
  for (let n = 0; n < 1_000; n += 1) if (!connection.send({ header: { n }, body })) return;
  assert.fail('two hundred megabytes in one turn were never too much');
}

/** The numbers of envelopes. */
export function numbersOf(envelopes: readonly Envelope[]): unknown[] {
  return envelopes.map(({ header }) => header['n']);
}

/** 0, 1, 2 and so on. */
export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}

/** @throws `AssertionError` unless the numbers are 0, 1, 2 and so on, as far as they go. */
export function assertPrefix(envelopes: readonly Envelope[]): void {
  assert.deepEqual(numbersOf(envelopes), upTo(envelopes.length));
}

/** Everything that comes in at one end. */
export function hear({ inbound$ }: Connection): Heard<Envelope> {
  return new Heard(inbound$);
}

/** Fails unless the connection carries an envelope each way. Takes what has not come yet only. */
export async function assertCarries(
  { here, there }: { readonly here: Connection; readonly there: Connection },
  [toHere, toThere] = [hear(here), hear(there)],
): Promise<void> {
  const [heardHere, heardThere] = [toHere.all.length, toThere.all.length];
  here.send({ header: { n: 'there' } });
  there.send({ header: { n: 'back' } });
  await Promise.all([toHere.count(heardHere + 1), toThere.count(heardThere + 1)]);
  assert.equal(toThere.all.at(-1)?.header['n'], 'there');
  assert.equal(toHere.all.at(-1)?.header['n'], 'back');
}
