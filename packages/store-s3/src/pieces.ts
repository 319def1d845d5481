import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';

/** How much is digested at a time: other work of the thread never waits longer than that takes (about 1 ms). */
const PIECE_BYTES = 1024 * 1024;

/** Digests and counts pieces that go by. */
export class Digest {
  byteLength = 0;
  readonly #hash = createHash('sha256');

  update(piece: Uint8Array): void {
    this.#hash.update(piece);
    this.byteLength += piece.byteLength;
  }

  async *over(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const piece of pieces) {
      this.update(piece);
      yield piece;
    }
  }

  /** SHA-256 of what went by. May be asked once. */
  hex(): string {
    return this.#hash.digest('hex');
  }
}

/** Bytes in memory as pieces, without copies. Lets other work in between. */
export async function* piecesOf(parts: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += PIECE_BYTES) {
      if (at > 0) await setImmediate();
      yield part.subarray(at, at + PIECE_BYTES);
    }
  }
}

/**
 * Chunks that are only lent as pieces of memory of their own, which stay. Each but the last has {@link PIECE_BYTES}.
 * @throws what the chunks throw.
 */
export async function* gathered(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let memory = Buffer.allocUnsafeSlow(PIECE_BYTES);
  let filled = 0;
  for await (const chunk of chunks) {
    let rest = chunk;
    while (rest.byteLength > 0) {
      const taken = rest.subarray(0, PIECE_BYTES - filled);
      memory.set(taken, filled);
      filled += taken.byteLength;
      rest = rest.subarray(taken.byteLength);
      if (filled < PIECE_BYTES) continue;
      yield memory;
      memory = Buffer.allocUnsafeSlow(PIECE_BYTES);
      filled = 0;
    }
  }
  if (filled > 0) yield memory.subarray(0, filled);
}
