import { createHash } from 'node:crypto';

/** How much of each end of the bytes is looked at. */
const END_BYTES = 64 * 1024;
/** Marks to keep, about 150 bytes each; the oldest goes first. */
const MOST_MARKS = 10_000;

/**
 * Knows bytes again by their length and their ends: a hint, cheap beside a digest, whether they were put before in this
 * process.
 */
export class BlobMarks {
  readonly #marks = new Set<string>();

  /** Whether bytes with such ends were shown before; from now on they were. */
  seenBefore(bytes: Uint8Array): boolean {
    const mark = markOf(bytes);
    const isKnown = this.#marks.delete(mark);
    this.#marks.add(mark);
    for (const oldest of this.#marks) {
      if (this.#marks.size <= MOST_MARKS) break;
      this.#marks.delete(oldest);
    }
    return isKnown;
  }
}

function markOf(bytes: Uint8Array): string {
  const hash = createHash('sha256').update(bytes.subarray(0, END_BYTES));
  if (bytes.byteLength > END_BYTES) hash.update(bytes.subarray(-END_BYTES));
  return `${bytes.byteLength} ${hash.digest('base64')}`;
}
