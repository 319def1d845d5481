import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { isCode, openFile, readAt } from './file-access.js';
import { Damage } from './file-format.js';

/** How much is read and digested at a time: other work of the thread never waits longer than that takes (about 1 ms). */
const PIECE_BYTES = 1024 * 1024;

/**
 * An open file of a blob, read from begin to end one piece ahead of who asks: into memory of its own, of which two pieces
 * take turns, so that what is given is lent until the next is asked for; or into memory for all of it.
 */
export class BlobReader {
  readonly byteLength: number;
  /** Number of the file. */
  readonly ino: number;
  readonly #file: number;
  readonly #digest = createHash('sha256');
  readonly #target: Uint8Array | undefined;
  readonly #own: readonly [Uint8Array, Uint8Array] | undefined;
  #at = 0;
  #reading: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param target - memory for all of it; used when it is as long as the file.
   * @throws {@link Damage} when there is something that is no file; what the file system throws, such as `ENOENT`.
   */
  static async open(path: string, target?: Uint8Array): Promise<BlobReader> {
    let file: number;
    try {
      file = await openFile(path);
    } catch (error) {
      throw isCode(error, 'ELOOP') ? new Damage('is a symbolic link', { cause: error }) : error;
    }
    try {
      return new BlobReader(file, target);
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
  }

  private constructor(file: number, target: Uint8Array | undefined) {
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) throw new Damage('is not a file');
    this.#file = file;
    this.byteLength = stat.size;
    this.ino = stat.ino;
    this.#target = target?.byteLength === stat.size ? target : undefined;
    this.#own = this.#target ? undefined : twoPieces(stat.size);
    this.#readAhead();
  }

  /**
   * The next piece; `undefined` at the end.
   * @throws {@link Damage} when the file became shorter; what the file system throws.
   */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#reading) return undefined;
    const bytes = await this.#reading;
    const piece = this.#nextPiece();
    if (bytes < piece.byteLength) throw new Damage('became shorter while it was read');
    this.#at += bytes;
    this.#readAhead();
    // While the system reads: it is asked at the end of this turn.
    if (!this.ended) await setImmediate();
    this.#digest.update(piece);
    return piece;
  }

  /** Whether everything was given. */
  get ended(): boolean {
    return this.#at === this.byteLength;
  }

  /** SHA-256 of everything; may be asked once, when it has ended. */
  digest(): string {
    return this.#digest.digest('hex');
  }

  /** Closes the file once nothing is being read from it. A second call does nothing. */
  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    await Promise.allSettled([this.#reading]);
    fs.closeSync(this.#file);
  }

  #readAhead(): void {
    // Whoever closes waits for one reading only.
    const hasMore = !this.#closing && !this.ended;
    this.#reading = hasMore ? readAt(this.#file, this.#nextPiece(), this.#at) : undefined;
    // It is awaited when the next piece is asked for; until then its failure is nobody's.
    void Promise.allSettled([this.#reading]);
  }

  /** Where the bytes go that come next. */
  #nextPiece(): Uint8Array {
    const bytes = Math.min(PIECE_BYTES, this.byteLength - this.#at);
    if (this.#target) return this.#target.subarray(this.#at, this.#at + bytes);
    const memory = this.#own?.[(this.#at / PIECE_BYTES) & 1] ?? NOTHING;
    return memory.subarray(0, bytes);
  }
}

const NOTHING = new Uint8Array(0);

function twoPieces(byteLength: number): readonly [Uint8Array, Uint8Array] {
  const room = Math.min(PIECE_BYTES, byteLength);
  return [Buffer.allocUnsafeSlow(room), Buffer.allocUnsafeSlow(byteLength > room ? room : 0)];
}
