import type { Features } from './features.js';
import { logOdds, type Model } from './logistic-regression.js';

/** How many predictions were what; spam is the positive class. */
export interface Confusion {
  /** Spam, predicted spam. */
  readonly truePositives: number;
  /** Ham, predicted spam. */
  readonly falsePositives: number;
  /** Ham, predicted ham. */
  readonly trueNegatives: number;
  /** Spam, predicted ham. */
  readonly falseNegatives: number;
}

/** Mean over folds, and how much folds differ. */
export interface Spread {
  readonly mean: number;
  /** Sample standard deviation; 0 for a single value. */
  readonly deviation: number;
}

/** Predicts each of `rows` and counts. */
export function countPredictions(model: Model, features: Features, rows: Uint32Array): Confusion {
  const counts = { truePositives: 0, falsePositives: 0, trueNegatives: 0, falseNegatives: 0 };
  for (const row of rows) {
    const spam = logOdds(model, features, row) > 0;
    if (features.labels[row] === 1) counts[spam ? 'truePositives' : 'falseNegatives']++;
    else counts[spam ? 'falsePositives' : 'trueNegatives']++;
  }
  return counts;
}

/** Share of predictions that are right, 0 to 1. */
export function accuracy(confusion: Confusion): number {
  const { truePositives, falsePositives, trueNegatives, falseNegatives } = confusion;
  const all = truePositives + falsePositives + trueNegatives + falseNegatives;
  return ratio(truePositives + trueNegatives, all);
}

/** Harmonic mean of precision and recall of spam, 0 to 1; 0 where there is neither spam nor a prediction of it. */
export function f1Score({ truePositives, falsePositives, falseNegatives }: Confusion): number {
  return ratio(2 * truePositives, 2 * truePositives + falsePositives + falseNegatives);
}

/** Counts of disjoint sets of examples, added up. */
export function addConfusions(confusions: readonly Confusion[]): Confusion {
  const sum = (count: keyof Confusion) => confusions.reduce((total, each) => total + each[count], 0);
  return {
    truePositives: sum('truePositives'),
    falsePositives: sum('falsePositives'),
    trueNegatives: sum('trueNegatives'),
    falseNegatives: sum('falseNegatives'),
  };
}

/** @param values - at least one. */
export function spread(values: readonly number[]): Spread {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
  return { mean, deviation: values.length > 1 ? Math.sqrt(squares / (values.length - 1)) : 0 };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
