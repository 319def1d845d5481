import { describe, expect, it } from 'vitest';
import { assignFolds, heldOutRows, trainingRows } from '../src/folds.js';
import { seededIntegers, shuffle } from '../src/random.js';
import { matrix } from './toy-data.js';

const count = 300;
const next = seededIntegers(3);
const groups = Array.from({ length: count }, () => next(120));
const labels = groups.map((group) => (group % 3 === 0 ? 1 : 0));
const mails = matrix(
  groups.map(() => [0]),
  labels,
  { groups },
);

describe('folds', () => {
  const { folds, spam, duplicates } = assignFolds(mails, 5, 1);

  it('keep all copies of a mail together', () => {
    const foldOf = new Map<number, number>();
    groups.forEach((group, row) => {
      expect(foldOf.get(group) ?? folds[row]).toBe(folds[row]);
      foldOf.set(group, folds[row] ?? -1);
    });
  });

  it('have about the same size and share of spam', () => {
    for (const label of [0, 1]) {
      const sizes = [0, 1, 2, 3, 4].map(
        (fold) => labels.filter((l, row) => l === label && folds[row] === fold).length,
      );
      const fair = labels.filter((l) => l === label).length / 5;
      for (const size of sizes) expect(Math.abs(size - fair)).toBeLessThanOrEqual(6);
    }
  });

  it('depend on the seed and on nothing else', () => {
    expect(assignFolds(mails, 5, 1).folds).toEqual(folds);
    expect(assignFolds(mails, 5, 2).folds).not.toEqual(folds);
  });

  it('come with the number of spam mails and of copies', () => {
    expect(spam).toBe(labels.filter((label) => label === 1).length);
    expect(duplicates).toBe(groups.filter((group, row) => groups.indexOf(group) < row).length);
  });

  it('split rows into those to train on and those held out, each in ascending order', () => {
    const split = { folds: Uint8Array.of(0, 1, 2, 1, 0), heldOut: 1 };
    expect([...trainingRows(split)]).toEqual([0, 2, 4]);
    expect([...heldOutRows(split)]).toEqual([1, 3]);
  });

  it('leave every row to train on when none is held out', () => {
    expect([...trainingRows({ folds })]).toEqual(labels.map((_, row) => row));
    expect(heldOutRows({ folds })).toHaveLength(0);
  });

  it.each([1, 2.5, 257, 121])('are refused when there are to be %d', (foldCount) => {
    expect(() => assignFolds(mails, foldCount, 1)).toThrow(RangeError);
  });
});

describe('a shuffle', () => {
  it('gives every order of three about as often', () => {
    const seen = new Map<string, number>();
    const below = seededIntegers(1);
    for (let round = 0; round < 6000; round++) {
      const items = Uint32Array.of(1, 2, 3);
      shuffle(items, below);
      seen.set(items.join(''), (seen.get(items.join('')) ?? 0) + 1);
    }
    expect(seen.size).toBe(6);
    for (const times of seen.values()) expect(times).toBeGreaterThan(850);
  });
});
