import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from './encoded.js';
import { ArrivingPart } from './arriving-part.js';
import type { StoredBlob } from './stored-blob.js';

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
  /** The value whose bytes they are, when it is in this process: then the chunks need not be read to have it. */
  readonly value?: Encoded;
  /** Chunks stay as they are for good: whoever keeps one need not copy it. Absent: they are lent. */
  readonly chunksStay?: true | undefined;
  /**
   * The bytes in order, in chunks of any size. A chunk is only lent, until the next one is asked for. Without `parts`
   * it may be called once.
   */
  chunks(): AsyncIterable<Uint8Array>;
}

/**
 * A body of an encoded value. Keeps views, copies nothing. What the value has in a store is read from there as the chunks
 * are asked for.
 * @public
 */
export function bodyOf(value: Encoded): Body {
  const { head, buffers, blobs } = value;
  const parts = buffers.length === 0 ? [head] : [head, ...buffers];
  if (!blobs) return new BodyInMemory(parts, value);
  const sizes = parts.map((part, index) => blobs.get(index)?.byteLength ?? part.byteLength);
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);
  const chunksStay = [...blobs.values()].every((blob) => blob instanceof ArrivingPart) || undefined;
  return { sizes, byteLength, value, chunksStay, chunks: () => chunksOf(parts, blobs) };
}

/** A class, since every small call and result makes one. */
class BodyInMemory implements Body {
  readonly sizes: readonly number[];
  readonly byteLength: number;
  readonly parts: readonly Uint8Array[];
  readonly value: Encoded;

  constructor(parts: readonly Uint8Array[], value: Encoded) {
    const sizes: number[] = [];
    let byteLength = 0;
    for (const part of parts) {
      sizes.push(part.byteLength);
      byteLength += part.byteLength;
    }
    this.sizes = sizes;
    this.byteLength = byteLength;
    this.parts = parts;
    this.value = value;
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    yield* this.parts;
  }
}

async function* chunksOf(
  parts: readonly Uint8Array[],
  blobs: ReadonlyMap<number, StoredBlob>,
): AsyncGenerator<Uint8Array> {
  for (const [index, part] of parts.entries()) {
    const blob = blobs.get(index);
    if (blob) yield* blob.chunks();
    else yield part;
  }
}

/**
 * Gives up a body that nobody will read, so that its sender keeps it no longer. Does nothing to one in memory.
 * @public
 */
export function dropBody(body: Body | undefined): void {
  if (!body || body.parts || body.value) return;
  // Its failure is nobody's, also that somebody reads it already: the bytes are not wanted.
  void Promise.allSettled([endReading(body)]);
}

async function endReading(body: Body): Promise<void> {
  await body.chunks()[Symbol.asyncIterator]().return?.();
}

/**
 * The encoded value of a body. Without copy when the body is in memory or its value in this process; else read whole into
 * fresh memory of the caller's own, one buffer a part.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` when chunks and sizes disagree.
 * @public
 */
export async function encodedOf(body: Body): Promise<Encoded> {
  if (body.value) return body.value;
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
  return { ...encodedOfParts(parts), isOwn: true };
}

/** The encoded value whose head is the first part. @public */
export function encodedOfParts(parts: readonly Uint8Array[]): Encoded {
  const [head, ...buffers] = parts;
  if (!head) throw new RoutineEngineError('BYTES_MALFORMED', 'A body has no head');
  return { head, buffers };
}
