const CHUNK_BYTES = 256 * 1024;
const WORDS = CHUNK_BYTES / Uint32Array.BYTES_PER_ELEMENT;
/** Words of a chunk that are checked, each of another page. */
const CHECKED_WORDS = 1_021;

/** A stream in which every word tells its place and the stream it belongs to. */
export async function* chunksOf(byteLength: number, seed: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < byteLength; at += CHUNK_BYTES) {
    const words = new Uint32Array(Math.min(WORDS, (byteLength - at) / Uint32Array.BYTES_PER_ELEMENT));
    const first = at / Uint32Array.BYTES_PER_ELEMENT + seed;
    for (let index = 0; index < words.length; index += 1) words[index] = first + index;
    yield new Uint8Array(words.buffer);
  }
}

/** Reads a stream to its end. @throws when it is not what {@link chunksOf} gives. */
export async function checkChunks(
  chunks: AsyncIterable<Uint8Array>,
  byteLength: number,
  seed: number,
): Promise<void> {
  let at = 0;
  for await (const chunk of chunks) {
    checkChunk(chunk, at, seed);
    at += chunk.byteLength;
  }
  if (at !== byteLength) throw new Error(`Wrong answer: a stream of ${at} bytes in place of ${byteLength}`);
}

/** Chunks may be cut anywhere: whole words are checked wherever they lie. */
function checkChunk(chunk: Uint8Array, start: number, seed: number): void {
  const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const bytes = Uint32Array.BYTES_PER_ELEMENT;
  const skipped = (bytes - (start % bytes)) % bytes;
  for (let at = skipped; at + bytes <= chunk.byteLength; at += bytes * CHECKED_WORDS) {
    const expected = ((start + at) / bytes + seed) >>> 0;
    const actual = view.getUint32(at, true);
    if (actual !== expected)
      throw new Error(`Wrong answer: ${actual} at byte ${start + at} in place of ${expected}`);
  }
}
