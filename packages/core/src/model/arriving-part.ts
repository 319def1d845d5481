import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoredBlob } from './stored-blob.js';
import { untilAborted } from './until-aborted.js';

/**
 * A part of a value that comes in pieces, in the order of its bytes, and may be read any number of times, meanwhile and
 * afterwards. Its digest is not known before a store has it.
 */
export class ArrivingPart implements StoredBlob {
  readonly byteLength: number;
  readonly #pieces: Uint8Array[] = [];
  #missingBytes: number;
  #failure: Error | undefined;
  #waiting: (() => void)[] = [];

  constructor(byteLength: number) {
    this.byteLength = byteLength;
    this.#missingBytes = byteLength;
  }

  /** @throws {@link RoutineEngineError} `INTERNAL`. */
  get digest(): string {
    throw new RoutineEngineError('INTERNAL', 'The digest of a part was asked for that is still arriving');
  }

  /** Takes the next piece in, which nobody changes any more. */
  add(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#missingBytes -= piece.byteLength;
    this.#wake();
  }

  /** The rest will not come: readers get the error in place of it. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#wake();
  }

  /** The bytes, as they come. Chunks stay as they are for good. @throws what was given to `fail`. */
  chunks(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array> {
    return untilAborted(this.#read(), options?.signal);
  }

  async *#read(): AsyncGenerator<Uint8Array> {
    for (let index = 0; index < this.#pieces.length || this.#missingBytes > 0;) {
      const piece = this.#pieces[index];
      if (piece) {
        index += 1;
        yield piece;
      } else if (this.#failure) throw this.#failure;
      else await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
