import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { ReferenceData } from '../model/reference.js';
import type { Codec } from '../ports/codec.js';
import type { StoreCallOptions } from '../ports/result-store.js';

/**
 * The bytes of a result that is nothing but bytes, or a stream of them. Each chunk is the reader's own.
 * @throws {@link RoutineEngineError} `REFERENCE_NOT_BINARY`.
 */
export function contentOf(
  value: Encoded,
  codec: Codec,
  { routineId }: ReferenceData,
  options: StoreCallOptions,
): AsyncIterable<Uint8Array> {
  const part = value.blobs?.has(0) ? undefined : codec.contentPart(value);
  if (part === undefined) {
    throw new RoutineEngineError(
      'REFERENCE_NOT_BINARY',
      `The result of ${routineId} is neither bytes nor a stream: fetch it with ref.value()`,
    );
  }
  const blob = value.blobs?.get(part);
  return copies(blob ? blob.chunks(options) : pieces(value.buffers[part - 1] ?? new Uint8Array(0)));
}

async function* copies(chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of chunks) yield Uint8Array.from(chunk);
}

function* pieces(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.byteLength; at += LIMITS.chunkBytes)
    yield bytes.subarray(at, at + LIMITS.chunkBytes);
}
