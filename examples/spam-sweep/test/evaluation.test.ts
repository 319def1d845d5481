import { describe, expect, it } from 'vitest';
import { accuracy, addConfusions, countPredictions, f1Score, spread } from '../src/evaluation.js';
import { matrix } from './toy-data.js';

// 8 spam found of 10, 1 false alarm in 90: precision 8/9, recall 8/10.
const confusion = { truePositives: 8, falseNegatives: 2, falsePositives: 1, trueNegatives: 89 };

describe('evaluation', () => {
  it('counts each kind of prediction, of the rows it is asked about', () => {
    const weights = Float32Array.of(2, -2, 0, 0);
    const examples = matrix([[0], [0], [0], [1], [1], [2], []], [1, 1, 0, 0, 1, 1, 0], { columnCount: 4 });
    // Rows 0 to 2 are predicted spam, 3 and 4 ham; 5 and 6 have the odds of the bias, just below 0.
    const model = { weights, bias: -0.1 };
    expect(countPredictions(model, examples, Uint32Array.of(0, 1, 2, 3, 4, 5, 6))).toEqual({
      truePositives: 2,
      falsePositives: 1,
      trueNegatives: 2,
      falseNegatives: 2,
    });
    expect(countPredictions(model, examples, Uint32Array.of(2, 5))).toEqual({
      truePositives: 0,
      falsePositives: 1,
      trueNegatives: 0,
      falseNegatives: 1,
    });
  });

  it('computes accuracy and F1 as by hand', () => {
    expect(accuracy(confusion)).toBe(0.97);
    const [precision, recall] = [8 / 9, 8 / 10];
    expect(f1Score(confusion)).toBeCloseTo((2 * precision * recall) / (precision + recall), 15);
  });

  it('gives 0 where there is nothing to count', () => {
    const none = { truePositives: 0, falseNegatives: 0, falsePositives: 0, trueNegatives: 0 };
    expect(accuracy(none)).toBe(0);
    expect(f1Score({ ...none, trueNegatives: 5 })).toBe(0);
  });

  it('adds up disjoint counts', () => {
    expect(addConfusions([confusion, confusion])).toEqual({
      truePositives: 16,
      falseNegatives: 4,
      falsePositives: 2,
      trueNegatives: 178,
    });
  });

  it('gives mean and sample standard deviation', () => {
    expect(spread([2, 4, 4, 4, 5, 5, 7, 9]).mean).toBe(5);
    expect(spread([2, 4, 4, 4, 5, 5, 7, 9]).deviation).toBeCloseTo(Math.sqrt(32 / 7), 15);
    expect(spread([3])).toEqual({ mean: 3, deviation: 0 });
  });
});
