import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoredBlob } from '../model/stored-blob.js';

/**
 * Reads a blob into memory of its own.
 * @throws {@link RoutineEngineError} `CONTENT_CORRUPT` when it is longer or shorter than it says; what reading throws.
 */
export async function readWhole(
  blob: StoredBlob,
  options?: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(blob.byteLength);
  let filled = 0;
  for await (const chunk of blob.chunks(options)) {
    if (chunk.byteLength > bytes.byteLength - filled) throw wrongLength(blob, 'more');
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  if (filled < bytes.byteLength) throw wrongLength(blob, 'less');
  return bytes;
}

/**
 * Reads a stream that is at most `most` bytes long into memory of its own. Of a longer one nothing is lost: its chunks
 * come back, those that were read first.
 */
export async function shortOrRest(
  chunks: AsyncIterable<Uint8Array>,
  most: number,
): Promise<Uint8Array | AsyncIterable<Uint8Array>> {
  const iterator = chunks[Symbol.asyncIterator]();
  const read: Uint8Array[] = [];
  let length = 0;
  while (length <= most) {
    const next = await iterator.next();
    if (next.done === true) return joined(read, length);
    // Only lent until the next one is asked for.
    read.push(Uint8Array.from(next.value));
    length += next.value.byteLength;
  }
  return readThenRest(read, iterator);
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let filled = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return bytes;
}

async function* readThenRest(
  read: readonly Uint8Array[],
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  let ended = false;
  try {
    yield* read;
    for (;;) {
      const next = await iterator.next();
      ended = next.done === true;
      if (ended) return;
      yield next.value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    if (!ended) await iterator.return?.();
  }
}

function wrongLength(blob: StoredBlob, than: 'more' | 'less'): RoutineEngineError {
  return new RoutineEngineError(
    'CONTENT_CORRUPT',
    `The content ${blob.digest} has ${than} than its ${blob.byteLength} bytes`,
  );
}
