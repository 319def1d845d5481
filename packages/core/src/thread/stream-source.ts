import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';

/** Pieces shorter than this are put together: a message each would cost more than its bytes. */
const BLOCK_BYTES = 16 * 1024;
/** Pieces from this size on are sent in memory that came back. */
const REUSED_BYTES = 64 * 1024;

/** Hears what comes of a stream on its way out. */
export interface SourceNotices {
  /** The next bytes; nobody else has their memory, which may be given back with the credit. */
  onBytes(bytes: Uint8Array): void;
  onEnd(): void;
  /** It threw this, whatever it is. */
  onFailure(error: unknown): void;
}

/** Reads one stream, never further than its reader at the other end allows. */
export class StreamSource {
  readonly #iterator: AsyncIterator<Uint8Array>;
  readonly #clock: Clock;
  readonly #notices: SourceNotices;
  #creditBytes: number = LIMITS.threadWindowBytes;
  #isOver = false;
  #onCredit: (() => void) | undefined;
  #block: Uint8Array | undefined;
  #blockBytes = 0;
  /** Memory to be used again. */
  #spare: Uint8Array[] = [];

  constructor(chunks: AsyncIterable<Uint8Array>, clock: Clock, notices: SourceNotices) {
    this.#iterator = chunks[Symbol.asyncIterator]();
    this.#clock = clock;
    this.#notices = notices;
  }

  start(): void {
    void this.#pump();
  }

  /** The reader took so many bytes: as many more may be sent. @param used - memory that came back. */
  credit(bytes: number, used: readonly Uint8Array[] = []): void {
    this.#creditBytes += bytes;
    this.#spare.push(...used);
    this.#onCredit?.();
  }

  /** Nobody wants more: the stream is ended, and nothing more is told. */
  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#onCredit?.();
    // Not awaited: a generator that waits for its next chunk answers return() only after that chunk.
    void Promise.allSettled([this.#iterator.return?.()]);
  }

  async #pump(): Promise<void> {
    try {
      for (;;) {
        const next = await this.#iterator.next();
        if (this.#isOver) return;
        if (next.done === true) break;
        await this.#send(next.value);
        if (this.#isOver) return;
      }
      this.#flush();
      this.#isOver = true;
      this.#notices.onEnd();
    } catch (error) {
      if (this.#isOver) return;
      this.#isOver = true;
      this.#notices.onFailure(error);
    }
  }

  async #send(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.byteLength > 0) {
      if (this.#creditBytes === 0) await new Promise<void>((resolve) => (this.#onCredit = resolve));
      if (this.#isOver) return;
      const piece = rest.subarray(0, Math.min(this.#creditBytes, LIMITS.chunkBytes));
      rest = rest.subarray(piece.byteLength);
      this.#creditBytes -= piece.byteLength;
      this.#give(piece);
    }
  }

  #give(piece: Uint8Array): void {
    if (this.#blockBytes + piece.byteLength > BLOCK_BYTES) this.#flush();
    // Copied, since a chunk is only lent, and may be of memory that others share.
    if (piece.byteLength >= BLOCK_BYTES) return this.#notices.onBytes(this.#copyOf(piece));
    if (this.#blockBytes === 0) this.#clock.nextTurn(() => this.#flush());
    this.#block ??= new Uint8Array(BLOCK_BYTES);
    this.#block.set(piece, this.#blockBytes);
    this.#blockBytes += piece.byteLength;
  }

  #copyOf(piece: Uint8Array): Uint8Array {
    const memory = piece.byteLength >= REUSED_BYTES ? this.#spare.pop() : undefined;
    // What is too short is left: pieces get no shorter for long.
    if (!memory || memory.byteLength < piece.byteLength) return Uint8Array.from(piece);
    memory.set(piece);
    return memory.subarray(0, piece.byteLength);
  }

  #flush(): void {
    if (!this.#block || this.#blockBytes === 0 || this.#isOver) return;
    const bytes = this.#block.slice(0, this.#blockBytes);
    this.#blockBytes = 0;
    this.#notices.onBytes(bytes);
  }
}
