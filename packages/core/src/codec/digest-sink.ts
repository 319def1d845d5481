import { createHash, hash, type Hash } from 'node:crypto';
import type { NodeGap } from '../model/unfinished-node.js';
import { isWellFormed } from './well-formed.js';

/** Longer nodes are replaced by their SHA-256; see `digest-walk.ts`. Part of the definition of digests. */
const INLINE_BYTES = 4096;
const FIRST_BYTES = 16 * 1024;
/** Sinks with more memory than this are not kept. */
const KEPT_BYTES = 1024 * 1024;
/** What an open node may hold before it is fed to its hash. */
const PENDING_BYTES = 32 * 1024;
const SHORT_TEXT = 24;
const HASHED = 0x23;
const UTF8 = 0x73;
const UTF16 = 0x77;
const HASH_BYTES = 32;

/** One container whose bytes are being written: where they begin, and the hash of those that were too many to keep. */
export interface OpenNode {
  start: number;
  hash: Hash | undefined;
}

/** Thrown when a node is to be hashed in which there is a gap. */
export const HASHED_GAP = new Error('a node with a gap cannot be hashed yet');

/** Memory in which the bytes of a digest are put together. */
export class DigestSink {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #position = 0;
  #gaps: NodeGap[] = [];

  /** Whether it is worth keeping for the next digest. */
  get isSmall(): boolean {
    return this.#bytes.byteLength <= KEPT_BYTES;
  }

  /** Where a SHA-256 is missing in what was added, in the order of the bytes. */
  get gaps(): readonly NodeGap[] {
    return this.#gaps;
  }

  reset(): void {
    this.#position = 0;
    if (this.#gaps.length > 0) this.#gaps = [];
  }

  byte(value: number): void {
    this.#reserve(1);
    this.#bytes[this.#position] = value;
    this.#position += 1;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#position, value, true);
    this.#position += 4;
  }

  float64(value: number): void {
    this.#reserve(8);
    // All NaNs are one value to the language, whatever their bits are.
    this.#view.setFloat64(this.#position, Number.isNaN(value) ? Number.NaN : value, true);
    this.#position += 8;
  }

  /** Adds a string: as UTF-8, or as UTF-16 when it has surrogates without partner, under another tag. */
  text(text: string): void {
    if (text.length <= SHORT_TEXT && this.#ascii(text)) return;
    const isUtf8 = isWellFormed(text);
    const node = this.open();
    this.byte(isUtf8 ? UTF8 : UTF16);
    const bytes = Buffer.from(text, isUtf8 ? 'utf8' : 'utf16le');
    this.float64(bytes.byteLength);
    if (bytes.byteLength > INLINE_BYTES) this.#empty(node).update(bytes);
    else this.node(bytes);
    this.close(node);
  }

  open(): OpenNode {
    return { start: this.#position, hash: undefined };
  }

  /** Feeds what a node holds to its hash when it is much. Called between its parts. @throws `HASHED_GAP` */
  relieve(node: OpenNode): void {
    if (this.#position - node.start > PENDING_BYTES) this.#empty(node);
  }

  /**
   * Ends a node.
   * @returns its hash, when it was so long that the hash now stands for it.
   * @throws `HASHED_GAP` when it has that, and a gap.
   */
  close(node: OpenNode): Buffer | undefined {
    const pending = this.#bytes.subarray(node.start, this.#position);
    if (!node.hash && pending.byteLength <= INLINE_BYTES) return undefined;
    this.#refuseGaps(node);
    const digest = node.hash ? node.hash.update(pending).digest() : hash('sha256', pending, 'buffer');
    this.#position = node.start;
    this.digest(digest);
    return digest;
  }

  /** Adds the hash that stands for a node. */
  digest(digest: Uint8Array): void {
    this.byte(HASHED);
    this.#reserve(HASH_BYTES);
    this.#bytes.set(digest, this.#position);
    this.#position += HASH_BYTES;
  }

  /** Adds a node that is there already. */
  node(bytes: Uint8Array): void {
    this.#reserve(bytes.byteLength);
    this.#bytes.set(bytes, this.#position);
    this.#position += bytes.byteLength;
  }

  /** Leaves room for the SHA-256 of a part of the value, which is not known yet. */
  gap(part: number): void {
    this.#gaps.push({ at: this.#position, part });
    this.#reserve(HASH_BYTES);
    this.#bytes.fill(0, this.#position, this.#position + HASH_BYTES);
    this.#position += HASH_BYTES;
  }

  /** A copy of all that was added. */
  taken(): Uint8Array {
    return new Uint8Array(this.#bytes.subarray(0, this.#position));
  }

  /** SHA-256 of all that was added, in hexadecimal digits. */
  result(): string {
    return hash('sha256', this.#bytes.subarray(0, this.#position), 'hex');
  }

  #refuseGaps({ start }: OpenNode): void {
    const last = this.#gaps.at(-1);
    if (last && last.at >= start) throw HASHED_GAP;
  }

  #empty(node: OpenNode): Hash {
    this.#refuseGaps(node);
    node.hash ??= createHash('sha256');
    node.hash.update(this.#bytes.subarray(node.start, this.#position));
    this.#position = node.start;
    return node.hash;
  }

  /** Adds a short string of ASCII characters; false, and nothing added, when it has others. */
  #ascii(text: string): boolean {
    this.#reserve(9 + SHORT_TEXT);
    const start = this.#position + 9;
    for (let index = 0; index < text.length; index += 1) {
      const unit = text.charCodeAt(index);
      if (unit > 0x7f) return false;
      this.#bytes[start + index] = unit;
    }
    this.#bytes[this.#position] = UTF8;
    this.#view.setFloat64(this.#position + 1, text.length, true);
    this.#position = start + text.length;
    return true;
  }

  #reserve(count: number): void {
    if (this.#position + count <= this.#bytes.byteLength) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.byteLength, this.#position + count));
    larger.set(this.#bytes.subarray(0, this.#position));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
