import { createHash } from 'node:crypto';
import { type Body, bodyOf, encodedOfParts } from '@routine-engine/core/adapter';
import { Damage } from './damage.js';

/** Small neighbouring parts share memory of at most this many bytes. */
const SHARED_BYTES = 1024 * 1024;

/**
 * A body in memory of its content. A large part has memory of its own, so that a value which keeps one part does not hold on
 * to all. Every part begins at a multiple of 8 there, so that typed arrays of any kind can be views of it.
 * @param digest - SHA-256 of the content; absent when it was found right already.
 * @param chunks - exactly as many bytes as the sizes say.
 * @throws {@link Damage} when the content is not what the digest says; what the chunks throw.
 */
export async function readParts(
  sizes: readonly number[],
  digest: string | undefined,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
): Promise<Body> {
  const hash = createHash('sha256');
  // With the first chunk, not before it: only then it is known that there is that much.
  let parts: Uint8Array[] | undefined;
  let index = 0;
  let filled = 0;
  for await (const chunk of chunks) {
    parts ??= memoryFor(sizes);
    if (digest !== undefined) hash.update(chunk);
    let rest = chunk;
    while (rest.byteLength > 0) {
      const part = parts[index];
      if (!part) throw new Damage('has more bytes than it should have');
      const taken = rest.subarray(0, part.byteLength - filled);
      part.set(taken, filled);
      filled += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (filled < part.byteLength) continue;
      index += 1;
      filled = 0;
    }
  }
  if (digest !== undefined && hash.digest('hex') !== digest) throw new Damage('has bytes that were changed');
  return bodyOf(encodedOfParts(parts ?? memoryFor(sizes)));
}

function memoryFor(sizes: readonly number[]): Uint8Array[] {
  const parts: Uint8Array[] = [];
  let sharing: number[] = [];
  let bytes = 0;
  const share = (): void => {
    const memory = Buffer.allocUnsafeSlow(bytes).buffer;
    let at = 0;
    for (const size of sharing) {
      parts.push(new Uint8Array(memory, at, size));
      at += paddedTo8(size);
    }
    sharing = [];
    bytes = 0;
  };
  for (const size of sizes) {
    if (bytes + paddedTo8(size) > SHARED_BYTES) share();
    sharing.push(size);
    bytes += paddedTo8(size);
  }
  share();
  return parts;
}

function paddedTo8(size: number): number {
  return Math.ceil(size / 8) * 8;
}
