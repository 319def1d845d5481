import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from './encoded.js';

/**
 * Bulk bytes on their way: in memory already (`parts`), or only readable once in chunks.
 * The bytes are the head and the buffers of an {@link Encoded}, one after the other; `sizes` tells them apart.
 * @public
 */
export interface Body {
  readonly byteLength: number;
  /** Byte lengths of head and buffers, in order; the first is the head's. Their sum is `byteLength`. */
  readonly sizes: readonly number[];
  /** The same bytes in memory, in order, one part a size; read-only for everybody. */
  readonly parts?: readonly Uint8Array[];
  /**
   * The bytes in order, in chunks of any size. A chunk is only lent, until the next one is asked for. Without `parts`
   * it may be called once.
   */
  chunks(): AsyncIterable<Uint8Array>;
}

/** A body of an encoded value in memory. Keeps views, copies nothing. @public */
export function bodyOf(value: Encoded): Body {
  const parts = [value.head, ...value.buffers];
  const sizes = parts.map((part) => part.byteLength);
  return {
    sizes,
    parts,
    byteLength: sizes.reduce((sum, size) => sum + size, 0),
    async *chunks() {
      yield* parts;
    },
  };
}

/**
 * The encoded value of a body. Without copy when the body is in memory; else read whole into fresh memory, one
 * buffer a part.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` when chunks and sizes disagree.
 * @public
 */
export async function encodedOf(body: Body): Promise<Encoded> {
  if (body.parts) return encodedOfParts(body.parts);
  const parts = body.sizes.map((size) => new Uint8Array(size));
  let index = 0;
  let filled = 0;
  for await (const chunk of body.chunks()) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      while (index < parts.length && filled === parts[index]?.byteLength) {
        index += 1;
        filled = 0;
      }
      const part = parts[index];
      if (!part)
        throw new RoutineEngineError('BYTES_MALFORMED', `A body has more than its ${body.byteLength} bytes`);
      const take = rest.subarray(0, part.byteLength - filled);
      part.set(take, filled);
      filled += take.byteLength;
      rest = rest.subarray(take.byteLength);
    }
  }
  const done = parts.slice(0, index).reduce((sum, part) => sum + part.byteLength, filled);
  if (done !== body.byteLength) {
    throw new RoutineEngineError(
      'BYTES_MALFORMED',
      `A body ended after ${done} of its ${body.byteLength} bytes`,
    );
  }
  return encodedOfParts(parts);
}

/** The encoded value whose head is the first part. @public */
export function encodedOfParts(parts: readonly Uint8Array[]): Encoded {
  const [head, ...buffers] = parts;
  if (!head) throw new RoutineEngineError('BYTES_MALFORMED', 'A body has no head');
  return { head, buffers };
}
