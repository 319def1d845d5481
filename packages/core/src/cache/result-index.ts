import type { ResultKey } from '../model/result.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { ResultEntry } from '../ports/result-store.js';
import { packedId } from './packed-id.js';

const KEY_BYTES = 32;
const FIRST_CAPACITY = 1024;

/**
 * What collecting garbage must know of every result, in about 60 bytes each, and 200 for each blob: a million results are to be
 * weighed in the memory of a small process. Results go by number, in the order in which they were added.
 */
export class ResultIndex {
  #capacity = FIRST_CAPACITY;
  #keys = new Uint8Array(FIRST_CAPACITY * KEY_BYTES);
  #createdAt = new Float64Array(FIRST_CAPACITY);
  #byteLengths = new Float64Array(FIRST_CAPACITY);
  #pinned = new Uint8Array(FIRST_CAPACITY);
  /** Where the blobs of the next result begin in `#named`. */
  #ends = new Uint32Array(FIRST_CAPACITY);
  readonly #named: number[] = [];
  readonly #blobNumbers = new Map<string, number>();
  readonly #blobBytes: number[] = [];
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add({ key, metadata, byteLength, pinned }: ResultEntry): void {
    if (this.#size === this.#capacity) this.#grow();
    const at = this.#size;
    this.#keys.set(Buffer.from(key, 'hex'), at * KEY_BYTES);
    this.#createdAt[at] = metadata.createdAt;
    this.#byteLengths[at] = byteLength;
    this.#pinned[at] = pinned ? 1 : 0;
    for (const blob of metadata.blobs ?? []) this.#named.push(this.nameBlob(blob));
    this.#ends[at] = this.#named.length;
    this.#size += 1;
  }

  keyOf(result: number): ResultKey {
    const begin = result * KEY_BYTES;
    return Buffer.from(this.#keys.subarray(begin, begin + KEY_BYTES)).toString('hex');
  }

  createdAtOf(result: number): number {
    return this.#createdAt[result] ?? 0;
  }

  /** Without its blobs. */
  byteLengthOf(result: number): number {
    return this.#byteLengths[result] ?? 0;
  }

  isPinned(result: number): boolean {
    return this.#pinned[result] === 1;
  }

  /** Numbers of the blobs that a result names; one that several name has one number. */
  *blobsOf(result: number): Generator<number> {
    const end = this.#ends[result] ?? 0;
    for (let at = this.#ends[result - 1] ?? 0; at < end; at += 1) yield this.#named[at] ?? 0;
  }

  blobBytesOf(blob: number): number {
    return this.#blobBytes[blob] ?? 0;
  }

  /** Gives a blob a number, unless it has one. */
  nameBlob({ digest, byteLength }: Pick<BlobPart, 'digest' | 'byteLength'>): number {
    const id = packedId(digest);
    const known = this.#blobNumbers.get(id);
    if (known !== undefined) return known;
    const number = this.#blobBytes.push(byteLength) - 1;
    this.#blobNumbers.set(id, number);
    return number;
  }

  /** The number of a blob that was given one. */
  blobNumber(digest: string): number | undefined {
    return this.#blobNumbers.get(packedId(digest));
  }

  /** All results, the newest first. */
  newestFirst(): Uint32Array {
    const results = Uint32Array.from({ length: this.#size }, (_, at) => at);
    return results.sort((a, b) => this.createdAtOf(b) - this.createdAtOf(a));
  }

  #grow(): void {
    this.#capacity *= 2;
    const grown = <T extends Uint8Array | Uint32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.#keys = grown(new Uint8Array(this.#capacity * KEY_BYTES), this.#keys);
    this.#createdAt = grown(new Float64Array(this.#capacity), this.#createdAt);
    this.#byteLengths = grown(new Float64Array(this.#capacity), this.#byteLengths);
    this.#pinned = grown(new Uint8Array(this.#capacity), this.#pinned);
    this.#ends = grown(new Uint32Array(this.#capacity), this.#ends);
  }
}
