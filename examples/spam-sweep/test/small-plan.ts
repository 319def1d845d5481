import type { SweepPlan } from '../src/sweep.js';

/** A sweep that takes a second or two: every tenth mail, two hyper-parameter sets, three folds; 16 tasks. */
export const SMALL_PLAN: SweepPlan = {
  corpus: { every: 10, maxMailBytes: 4096 },
  ngrams: { minLength: 4, maxLength: 4, bucketBits: 14 },
  folds: 3,
  grid: [
    { learningRate: 5, epochs: 10, l2: 0 },
    { learningRate: 1, epochs: 5, l2: 1e-4 },
  ],
  seed: 1,
};

/** Tasks of {@link SMALL_PLAN}: corpus, features, folds, 2 sets x 3 folds x (train, evaluate), and the final train. */
export const SMALL_PLAN_TASKS = 16;
