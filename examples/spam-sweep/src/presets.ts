import type { HyperParameters } from './logistic-regression.js';
import type { SweepPlan } from './sweep.js';

/** Names of the ready-made plans. */
export type PresetName = 'quick' | 'default' | 'full';

/** Every combination of learning rate and L2 penalty. */
function combine(
  epochs: number,
  learningRates: readonly number[],
  l2s: readonly number[],
): HyperParameters[] {
  return learningRates.flatMap((learningRate) => l2s.map((l2) => ({ learningRate, l2, epochs })));
}

/** Ready-made plans; README.md says how long each takes and how well its best model does. */
export const PRESETS: Readonly<Record<PresetName, SweepPlan>> = {
  quick: {
    corpus: { every: 1, maxMailBytes: 8 * 1024 },
    ngrams: { minLength: 4, maxLength: 4, bucketBits: 16 },
    folds: 5,
    grid: combine(40, [2, 5, 10], [0, 1e-6]),
    seed: 1,
  },
  default: {
    corpus: { every: 1, maxMailBytes: 16 * 1024 },
    ngrams: { minLength: 3, maxLength: 5, bucketBits: 18 },
    folds: 5,
    grid: combine(20, [2, 5, 10, 20], [0, 1e-6]),
    seed: 1,
  },
  full: {
    corpus: { every: 1, maxMailBytes: 32 * 1024 },
    ngrams: { minLength: 3, maxLength: 5, bucketBits: 20 },
    folds: 10,
    grid: combine(40, [5, 10, 20], [0, 1e-6, 1e-5]),
    seed: 1,
  },
};
