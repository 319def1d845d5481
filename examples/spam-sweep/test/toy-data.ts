import type { Corpus } from '../src/corpus.js';
import type { Features } from '../src/features.js';

/** A matrix of `rows`, each given by its columns; every row is a mail of its own unless `groups` says otherwise. */
export function matrix(
  rows: readonly (readonly number[])[],
  labels: readonly number[],
  {
    columnCount = 8,
    groups = rows.map((_, row) => row),
  }: { columnCount?: number; groups?: readonly number[] } = {},
): Features {
  const rowStarts = [0];
  for (const row of rows) rowStarts.push((rowStarts.at(-1) ?? 0) + row.length);
  return {
    rowStarts: Uint32Array.from(rowStarts),
    columns: Uint16Array.from(rows.flat()),
    columnCount,
    labels: Uint8Array.from(labels),
    groups: Uint32Array.from(groups),
  };
}

/** A corpus of hams with these texts. */
export function corpusOf(texts: readonly string[]): Corpus {
  const bytes = texts.map((text) => Buffer.from(text));
  const textStarts = [0];
  for (const text of bytes) textStarts.push((textStarts.at(-1) ?? 0) + text.length);
  return {
    text: new Uint8Array(Buffer.concat(bytes)),
    textStarts: Uint32Array.from(textStarts),
    labels: new Uint8Array(texts.length),
    groups: Uint32Array.from(texts.keys()),
  };
}

/** The columns of each row. */
export function rowsOf({ rowStarts, columns, labels }: Features): number[][] {
  return Array.from(labels, (_, row) => [...columns.subarray(rowStarts[row], rowStarts[row + 1])]);
}

/** The number of each row. */
export function allRows({ labels }: Features): Uint32Array {
  return Uint32Array.from(labels.keys());
}
