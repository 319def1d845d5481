import { ReadableStream } from 'node:stream/web';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { isCount } from './is-count.js';
import { malformed } from './refusals.js';

/** The chunks of one stream, from its beginning; each belongs to who asks for it. */
type Open = (signal?: AbortSignal) => AsyncGenerator<Uint8Array>;

/**
 * Gives out the streams of one encoded value, each once. Nothing of a stream is read before its reader asks for it.
 */
export class StreamParts {
  readonly #buffers: readonly Uint8Array[];
  readonly #blobs: ReadonlyMap<number, StoredBlob> | undefined;
  readonly #count: number;
  readonly #taken = new Set<number>();

  /** @param count - how many of the last buffers are streams. */
  constructor({ buffers, blobs }: Encoded, count: number) {
    this.#buffers = buffers;
    this.#blobs = blobs;
    this.#count = count;
  }

  /** The stream whose buffer has that number, counted from the last. */
  take(kind: unknown, number: unknown): object {
    if (!isCount(number) || number >= this.#count) throw malformed(`there is no stream ${String(number)}`);
    if (this.#taken.has(number)) throw malformed(`the stream ${number} twice`);
    this.#taken.add(number);
    const open = this.#opener(this.#buffers.length - number);
    if (kind === 'i') return open();
    if (kind === 'w') return webStreamOf(open);
    throw malformed('an unknown kind of stream');
  }

  /** Refuses streams that stand nowhere. */
  finish(): void {
    if (this.#taken.size !== this.#count) throw malformed('a stream that stands nowhere');
  }

  #opener(part: number): Open {
    const blob = this.#blobs?.get(part);
    if (blob) return (signal) => chunksOfBlob(blob, signal);
    const bytes = this.#buffers[part - 1] as Uint8Array;
    return () => chunksOfMemory(bytes);
  }
}

async function* chunksOfBlob(
  blob: StoredBlob,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  // A chunk of a blob is only lent, and readers keep what they are given.
  for await (const chunk of blob.chunks(signal && { signal })) yield copyOf(chunk);
}

/** Each is a copy: a reader may transfer the memory of a chunk, and the next ones must not go with it. */
async function* chunksOfMemory(bytes: Uint8Array): AsyncGenerator<Uint8Array, void> {
  for (let offset = 0; offset < bytes.byteLength; offset += LIMITS.chunkBytes) {
    const length = Math.min(LIMITS.chunkBytes, bytes.byteLength - offset);
    yield copyOf(new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length));
  }
}

/** Reads a chunk only when one is asked for. */
function webStreamOf(open: Open): ReadableStream<Uint8Array> {
  const reading = new AbortController();
  const chunks = open(reading.signal);
  const source = {
    async pull(controller: { enqueue(chunk: Uint8Array): void; close(): void }): Promise<void> {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel(reason: unknown): Promise<void> {
      // Without it the reading would end only behind a chunk that is under way.
      reading.abort(reason);
      await chunks.return(undefined);
    },
  };
  return new ReadableStream<Uint8Array>(source, { highWaterMark: 0 });
}

function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}
