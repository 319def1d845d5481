import { RoutineEngineError } from '../errors/routine-engine-error.js';

/** Cuts the chunks of a body into its parts, which are read one after the other. */
export class PartReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterator<Uint8Array>) {
    this.#chunks = chunks;
  }

  /** The next part, in memory of its own. @throws {@link RoutineEngineError} `BYTES_MALFORMED`; what the chunks throw. */
  async whole(byteLength: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(byteLength);
    for (let filled = 0; filled < byteLength;) {
      const taken = await this.#take(byteLength - filled);
      bytes.set(taken, filled);
      filled += taken.byteLength;
    }
    return bytes;
  }

  /** The next part in chunks, each lent until the next is asked for; to be read to its end. @throws as `whole` does. */
  async *chunks(byteLength: number): AsyncGenerator<Uint8Array> {
    for (let left = byteLength; left > 0;) {
      const taken = await this.#take(left);
      left -= taken.byteLength;
      yield taken;
    }
  }

  /** Makes sure that nothing is left. @throws as `whole` does. */
  async end(): Promise<void> {
    while (this.#rest.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return;
      this.#rest = next.value;
    }
    throw new RoutineEngineError('BYTES_MALFORMED', 'A body has more bytes than its parts');
  }

  async #take(most: number): Promise<Uint8Array> {
    while (this.#rest.byteLength === 0) {
      const next = await this.#chunks.next();
      if (next.done === true)
        throw new RoutineEngineError('BYTES_MALFORMED', 'A body ended before all of its parts had come');
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.byteLength);
    return taken;
  }
}
