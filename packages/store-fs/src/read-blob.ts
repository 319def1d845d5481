import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { isCode, openFile, readAt } from './file-access.js';
import { Damage } from './file-format.js';

/** How much is read and digested at a time: other work of the thread never waits longer than that takes (about 1 ms). */
const PIECE_BYTES = 1024 * 1024;

/**
 * An open file of a blob, read from begin to end one piece ahead of who asks. Its two pieces of memory take turns: what
 * is given is lent until the next is asked for.
 */
export class BlobReader {
  readonly byteLength: number;
  /** Number of the file. */
  readonly ino: number;
  readonly #file: number;
  readonly #digest = createHash('sha256');
  #memory: Uint8Array;
  #spare: Uint8Array;
  #at = 0;
  #reading: Promise<number> | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @throws {@link Damage} when there is something that is no file; what the file system throws, such as `ENOENT`.
   */
  static async open(path: string): Promise<BlobReader> {
    let file: number;
    try {
      file = await openFile(path);
    } catch (error) {
      throw isCode(error, 'ELOOP') ? new Damage('is a symbolic link', { cause: error }) : error;
    }
    try {
      return new BlobReader(file);
    } catch (error) {
      fs.closeSync(file);
      throw error;
    }
  }

  private constructor(file: number) {
    const stat = fs.fstatSync(file);
    if (!stat.isFile()) throw new Damage('is not a file');
    this.#file = file;
    this.byteLength = stat.size;
    this.ino = stat.ino;
    const room = Math.min(PIECE_BYTES, stat.size);
    this.#memory = Buffer.allocUnsafeSlow(room);
    this.#spare = Buffer.allocUnsafeSlow(stat.size > room ? room : 0);
    this.#readAhead();
  }

  /**
   * The next piece; `undefined` at the end.
   * @throws {@link Damage} when the file became shorter; what the file system throws.
   */
  async next(): Promise<Uint8Array | undefined> {
    if (!this.#reading) return undefined;
    const bytes = await this.#reading;
    const piece = this.#memory.subarray(0, Math.min(PIECE_BYTES, this.byteLength - this.#at));
    if (bytes < piece.byteLength) throw new Damage('became shorter while it was read');
    this.#at += bytes;
    [this.#memory, this.#spare] = [this.#spare, this.#memory];
    this.#readAhead();
    // While the disk works.
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
    const bytes = this.#closing ? 0 : Math.min(PIECE_BYTES, this.byteLength - this.#at);
    this.#reading = bytes > 0 ? readAt(this.#file, this.#memory.subarray(0, bytes), this.#at) : undefined;
    // It is awaited when the next piece is asked for; until then its failure is nobody's.
    void Promise.allSettled([this.#reading]);
  }
}
