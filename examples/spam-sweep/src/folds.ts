import type { Features } from './features.js';
import { seededIntegers, shuffle } from './random.js';

/** How the rows of a matrix were dealt into folds, and what a report tells of them. */
export interface FoldAssignment {
  /** The fold of each row, from 0. */
  readonly folds: Uint8Array;
  /** Rows that are spam. */
  readonly spam: number;
  /** Rows that are copies of an earlier one. */
  readonly duplicates: number;
}

/** Which rows of a matrix to train on, and which are held out to evaluate on. */
export interface Split {
  /** As in {@link FoldAssignment}. */
  readonly folds: Uint8Array;
  /** The fold that is held out. Absent: all rows are trained on. */
  readonly heldOut?: number;
}

/**
 * Deals rows into `foldCount` folds of about the same size and the same share of spam. Copies of one mail are never in
 * different folds: a model that has seen a mail must not be asked about it.
 *
 * @throws RangeError when there are fewer than 2 folds, or more than 256 or than groups of copies.
 */
export function assignFolds(features: Features, foldCount: number, seed: number): FoldAssignment {
  const { labels, groups } = features;
  const rowsOf = new Map<number, number[]>();
  for (const [row, group] of groups.entries()) {
    const rows = rowsOf.get(group);
    if (rows === undefined) rowsOf.set(group, [row]);
    else rows.push(row);
  }
  if (!Number.isInteger(foldCount) || foldCount < 2 || foldCount > Math.min(256, rowsOf.size)) {
    throw new RangeError(
      `${foldCount} folds of ${rowsOf.size} different mails: expected a whole number from 2 on`,
    );
  }
  const order = Uint32Array.from(rowsOf.keys());
  shuffle(order, seededIntegers(seed));

  const folds = new Uint8Array(labels.length);
  const sizes = [new Uint32Array(foldCount), new Uint32Array(foldCount)] as const;
  for (const group of order) {
    const rows = rowsOf.get(group) ?? [];
    const fold = smallest(labels[rows[0] ?? 0] === 1 ? sizes[1] : sizes[0]);
    for (const row of rows) {
      folds[row] = fold;
      const size = labels[row] === 1 ? sizes[1] : sizes[0];
      size[fold] = (size[fold] ?? 0) + 1;
    }
  }
  const spam = labels.reduce((sum, label) => sum + label, 0);
  return { folds, spam, duplicates: groups.length - rowsOf.size };
}

/** The rows to train on, ascending. */
export function trainingRows({ folds, heldOut }: Split): Uint32Array {
  return Uint32Array.from(folds.keys()).filter((row) => folds[row] !== heldOut);
}

/** The rows to evaluate on, ascending. */
export function heldOutRows({ folds, heldOut }: Split): Uint32Array {
  return Uint32Array.from(folds.keys()).filter((row) => folds[row] === heldOut);
}

function smallest(sizes: Uint32Array): number {
  return sizes.indexOf(sizes.reduce((least, size) => Math.min(least, size)));
}
