import { type Features, selectRows } from './features.js';
import { seededIntegers, shuffle } from './random.js';

/** Rows to train on, and the rows held out to evaluate on. */
export interface Split {
  readonly training: Features;
  readonly heldOut: Features;
}

/**
 * Deals rows into `foldCount` folds of about the same size and the same share of spam. Copies of one mail are never in
 * different folds: a model that has seen a mail must not be asked about it.
 *
 * @returns the fold of each row, 0 to `foldCount - 1`.
 * @throws RangeError when there are fewer than 2 folds, or more than 256 or than groups of copies.
 */
export function assignFolds(features: Features, foldCount: number, seed: number): Uint8Array {
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
  return folds;
}

/** @param folds - as given by {@link assignFolds}. */
export function splitByFold(features: Features, folds: Uint8Array, heldOut: number): Split {
  const rows = Uint32Array.from(folds.keys());
  return {
    training: selectRows(
      features,
      rows.filter((row) => folds[row] !== heldOut),
    ),
    heldOut: selectRows(
      features,
      rows.filter((row) => folds[row] === heldOut),
    ),
  };
}

function smallest(sizes: Uint32Array): number {
  return sizes.indexOf(sizes.reduce((least, size) => Math.min(least, size)));
}
