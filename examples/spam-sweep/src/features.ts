import type { Corpus } from './corpus.js';
import type { Steps } from './steps.js';

/** Which n-grams become features. */
export interface NgramOptions {
  /** Shortest and longest n-gram, in bytes of lower-cased text in which each run of white space is one space. */
  readonly minLength: number;
  readonly maxLength: number;
  /** N-grams are hashed into `2 ** bucketBits` columns, 1 to 24; different ones may share a column. */
  readonly bucketBits: number;
}

/**
 * A binary feature matrix in compressed sparse rows, one row a mail: a column is set when the mail has one of its n-grams.
 * Rows count as scaled to length 1, so each set entry of a row with `k` entries stands for `1 / sqrt(k)`.
 */
export interface Features {
  /** Row `r` has the columns `columns[rowStarts[r]] .. columns[rowStarts[r + 1] - 1]`; one entry more than rows. */
  readonly rowStarts: Uint32Array;
  /** Ascending within a row. 16 bits where that is enough: half the bytes to digest, send and keep. */
  readonly columns: Uint16Array | Uint32Array;
  readonly columnCount: number;
  /** 1 for spam, 0 for ham; one entry a row. */
  readonly labels: Uint8Array;
  /** Rows with the same number are copies of one mail; one entry a row. */
  readonly groups: Uint32Array;
}

const MAX_BUCKET_BITS = 24;
/** Mails between two pauses: some 20 ms. */
const MAILS_PER_STEP = 256;

/** @throws RangeError when an option is out of range. */
export function* extractFeatures(corpus: Corpus, options: NgramOptions): Steps<Features> {
  checkOptions(options);
  const rows = corpus.labels.length;
  const rowStarts = new Uint32Array(rows + 1);
  const indexer = new NgramIndexer(options);
  for (let row = 0; row < rows; row++) {
    const text = corpus.text.subarray(corpus.textStarts[row], corpus.textStarts[row + 1]);
    rowStarts[row + 1] = indexer.appendRow(normalizeText(text));
    if (row % MAILS_PER_STEP === 0) yield { done: row, total: rows };
  }
  const { labels, groups } = corpus;
  return { rowStarts, columns: indexer.columns(), columnCount: 2 ** options.bucketBits, labels, groups };
}

function checkOptions({ minLength, maxLength, bucketBits }: NgramOptions): void {
  if (
    !Number.isInteger(minLength) ||
    !Number.isInteger(maxLength) ||
    minLength < 1 ||
    maxLength < minLength
  ) {
    throw new RangeError(
      `n-grams of ${minLength} to ${maxLength} bytes: expected whole numbers, 1 <= min <= max`,
    );
  }
  if (!Number.isInteger(bucketBits) || bucketBits < 1 || bucketBits > MAX_BUCKET_BITS) {
    throw new RangeError(`bucketBits is ${bucketBits}: expected a whole number from 1 to ${MAX_BUCKET_BITS}`);
  }
}

const SPACE = 0x20;

/** Only ASCII is lower-cased: what other letters become depends on the Unicode tables of the runtime. */
function normalizeText(text: Uint8Array): Uint8Array {
  const normal = new Uint8Array(text.length);
  let length = 0;
  for (const byte of text) {
    if (byte > SPACE) normal[length++] = byte >= 0x41 && byte <= 0x5a ? byte + 0x20 : byte;
    else if (length > 0 && normal[length - 1] !== SPACE) normal[length++] = SPACE;
  }
  return normal.subarray(0, length);
}

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;

/** Collects the columns of row after row. */
class NgramIndexer {
  readonly #options: NgramOptions;
  /** For each column the last row that has it, counted from 1. */
  readonly #lastRow: Uint32Array;
  #row = 0;
  #columns: Uint16Array | Uint32Array;
  #length = 0;

  constructor(options: NgramOptions) {
    this.#options = options;
    this.#lastRow = new Uint32Array(2 ** options.bucketBits);
    this.#columns = options.bucketBits <= 16 ? new Uint16Array(1 << 20) : new Uint32Array(1 << 20);
  }

  /** @returns how many columns all rows together have now. */
  appendRow(text: Uint8Array): number {
    const { minLength, maxLength, bucketBits } = this.#options;
    this.#reserve(text.length * (maxLength - minLength + 1));
    const row = ++this.#row;
    const start = this.#length;
    const lastRow = this.#lastRow;
    const columns = this.#columns;
    let length = start;
    for (let first = 0; first < text.length; first++) {
      const end = Math.min(first + maxLength, text.length);
      let hash = FNV_OFFSET;
      for (let next = first; next < end; next++) {
        hash = Math.imul(hash ^ (text[next] ?? 0), FNV_PRIME);
        if (next - first + 1 < minLength) continue;
        const column = scramble(hash) >>> (32 - bucketBits);
        if (lastRow[column] === row) continue;
        lastRow[column] = row;
        columns[length++] = column;
      }
    }
    columns.subarray(start, length).sort();
    return (this.#length = length);
  }

  columns(): Uint16Array | Uint32Array {
    return this.#columns.slice(0, this.#length);
  }

  #reserve(more: number): void {
    const needed = this.#length + more;
    if (needed <= this.#columns.length) return;
    const size = Math.max(needed, this.#columns.length * 2);
    const grown = this.#columns instanceof Uint16Array ? new Uint16Array(size) : new Uint32Array(size);
    grown.set(this.#columns.subarray(0, this.#length));
    this.#columns = grown;
  }
}

/** The high bits of FNV-1a hardly depend on the last bytes of a short n-gram; this is the finalizer of MurmurHash3. */
function scramble(hash: number): number {
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed ^= mixed >>> 13;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}
