import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { untilAborted } from '../model/until-aborted.js';

/**
 * Reads a blob into memory of its own.
 * @throws {@link RoutineEngineError} `CONTENT_CORRUPT` when it is longer or shorter than it says; what reading throws.
 */
export async function readWhole(
  blob: StoredBlob,
  options?: { readonly signal?: AbortSignal },
): Promise<Uint8Array> {
  const bytes = new Uint8Array(blob.byteLength);
  await readInto(bytes, blob, options);
  return bytes;
}

/** As {@link readWhole}, into memory that is as long as the blob says that it is. */
export async function readInto(
  bytes: Uint8Array,
  blob: StoredBlob,
  options?: { readonly signal?: AbortSignal },
): Promise<void> {
  if (blob.readInto) return blob.readInto(bytes, options);
  let filled = 0;
  for await (const chunk of untilAborted(blob.chunks(options), options?.signal)) {
    if (chunk.byteLength > bytes.byteLength - filled) throw wrongLength(blob, 'more');
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  if (filled < bytes.byteLength) throw wrongLength(blob, 'less');
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
  let gathered = new Uint8Array(0);
  let length = 0;
  for (;;) {
    const next = await iterator.next();
    if (next.done === true) return gathered.slice(0, length);
    const { value } = next;
    const end = length + value.byteLength;
    if (end > most) return readThenRest([gathered.subarray(0, length), value], iterator);
    gathered = withRoom(gathered, end, most);
    // Only lent until the next one is asked for.
    gathered.set(value, length);
    length = end;
  }
}

/** The same memory, or twice as much with what was in it: chunks may be many and small. */
function withRoom(bytes: Uint8Array<ArrayBuffer>, needed: number, most: number): Uint8Array<ArrayBuffer> {
  if (needed <= bytes.byteLength) return bytes;
  const larger = new Uint8Array(Math.min(Math.max(needed, 2 * bytes.byteLength), most));
  larger.set(bytes);
  return larger;
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
