import { describe, expect, it } from 'vitest';
import type { Features } from '../src/features.js';
import {
  fitModel,
  type HyperParameters,
  logOdds,
  type Model,
  probability,
} from '../src/logistic-regression.js';
import { complete } from '../src/steps.js';
import { allRows, matrix, rowsOf } from './toy-data.js';

const fit = (examples: Features, parameters: HyperParameters, seed = 1) =>
  complete(fitModel(examples, allRows(examples), parameters, seed));

/** What training minimizes, written down independently of how it does it. */
function objective({ weights, bias }: Model, examples: Features, l2: number): number {
  const losses = rowsOf(examples).map((columns, row) => {
    const value = 1 / Math.sqrt(columns.length);
    const odds = columns.reduce((sum, column) => sum + (weights[column] ?? 0) * value, bias);
    const p = 1 / (1 + Math.exp(-odds));
    return -Math.log(examples.labels[row] === 1 ? p : 1 - p);
  });
  const penalty = weights.reduce((sum, weight) => sum + weight * weight, 0);
  return losses.reduce((sum, loss) => sum + loss, 0) / losses.length + (l2 / 2) * penalty;
}

const overlapping = matrix(
  [[0, 1], [0, 2], [1, 2, 3], [0, 3], [1], [2, 3], [0, 1], [3]],
  [1, 1, 0, 1, 0, 0, 0, 1],
);

describe('training', () => {
  it('follows the gradient: one step on one mail is minus the learning rate times the derivative of the loss', () => {
    const one = matrix([[0, 1, 2, 5]], [1]);
    const rate = 0.25;
    const trained = fit(one, { learningRate: rate, epochs: 1, l2: 0 });
    const at = (column: number, nudge: number) => {
      const weights = new Float32Array(8);
      weights[column] = nudge;
      return objective({ weights, bias: 0 }, one, 0);
    };
    const nudge = 2 ** -10;
    for (let column = 0; column < 8; column++) {
      const derivative = (at(column, nudge) - at(column, -nudge)) / (2 * nudge);
      expect(trained.weights[column]).toBeCloseTo(-rate * derivative, 5);
    }
    expect(trained.bias).toBeCloseTo(rate * 0.5, 10);
  });

  it('ends where the gradient of the penalized loss is zero', () => {
    const l2 = 0.05;
    const model = fit(overlapping, { learningRate: 0.02, epochs: 20_000, l2 });
    const least = objective(model, overlapping, l2);
    const step = 2 ** -6;
    for (let column = 0; column < 4; column++) {
      const moved = (by: number) => {
        const weights = model.weights.slice();
        weights[column] = (weights[column] ?? 0) + by;
        return objective({ weights, bias: model.bias }, overlapping, l2);
      };
      expect((moved(step) - moved(-step)) / (2 * step)).toBeCloseTo(0, 3);
      expect(moved(step)).toBeGreaterThan(least);
    }
    const shifted = (by: number) =>
      objective({ weights: model.weights, bias: model.bias + by }, overlapping, l2);
    expect((shifted(step) - shifted(-step)) / (2 * step)).toBeCloseTo(0, 3);
  });

  it('learns what can be told apart', () => {
    const toy = matrix(
      [
        [0, 1],
        [0, 2],
        [3, 1],
        [3, 2],
      ],
      [1, 1, 0, 0],
    );
    const model = fit(toy, { learningRate: 1, epochs: 50, l2: 0 });
    expect(Array.from(toy.labels, (_, row) => logOdds(model, toy, row) > 0)).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('makes smaller weights with a stronger penalty', () => {
    const size = (l2: number) =>
      fit(overlapping, { learningRate: 0.5, epochs: 200, l2 }).weights.reduce(
        (sum, weight) => sum + weight * weight,
        0,
      );
    expect(size(0.1)).toBeLessThan(size(0.01));
    expect(size(0.01)).toBeLessThan(size(0));
  });

  it('stays exact when the penalty shrinks the shared factor again and again', () => {
    const model = fit(overlapping, { learningRate: 0.9, epochs: 300, l2: 1 });
    expect(model.weights.every((weight) => Math.abs(weight) < 1)).toBe(true);
    expect(Number.isFinite(model.bias)).toBe(true);
  });

  it('gives the same bits for the same seed, and others for another', () => {
    const parameters = { learningRate: 2, epochs: 7, l2: 1e-3 };
    expect(fit(overlapping, parameters, 5)).toEqual(fit(overlapping, parameters, 5));
    expect(fit(overlapping, parameters, 6)).not.toEqual(fit(overlapping, parameters, 5));
  });

  it('sees the rows it is given and no others, as if the matrix had only them', () => {
    const parameters = { learningRate: 2, epochs: 7, l2: 1e-3 };
    const some = matrix([[0, 2], [0, 3], [1], [3]], [1, 1, 0, 1]);
    const rows = Uint32Array.of(1, 3, 4, 7);
    expect(complete(fitModel(overlapping, rows, parameters, 5))).toEqual(fit(some, parameters, 5));
    expect([...rows]).toEqual([1, 3, 4, 7]);
  });

  it('pauses after each epoch', () => {
    const steps = fitModel(overlapping, allRows(overlapping), { learningRate: 1, epochs: 3, l2: 0 }, 1);
    expect([...steps]).toEqual([
      { done: 1, total: 3 },
      { done: 2, total: 3 },
      { done: 3, total: 3 },
    ]);
  });

  it('takes a mail without any feature', () => {
    const model = fit(matrix([[], [1]], [1, 0]), { learningRate: 1, epochs: 5, l2: 0 });
    expect(model.weights.every(Number.isFinite)).toBe(true);
  });

  it.each([
    [{ learningRate: 0, epochs: 1, l2: 0 }, 'learningRate is 0'],
    [{ learningRate: Number.NaN, epochs: 1, l2: 0 }, 'learningRate is NaN'],
    [{ learningRate: 1, epochs: 0.5, l2: 0 }, 'epochs is 0.5'],
    [{ learningRate: 1, epochs: 1, l2: -1 }, 'l2 is -1'],
    [{ learningRate: 10, epochs: 1, l2: 0.1 }, 'l2 is 0.1'],
  ])('refuses %o', (parameters, message) => {
    expect(() => fit(overlapping, parameters)).toThrow(message);
  });
});

describe('a probability', () => {
  it('is what the exponential function says, without calling it', () => {
    for (let odds = -20; odds <= 20; odds += 0.37) {
      expect(probability(odds) * (1 + Math.exp(-odds))).toBeCloseTo(1, 9);
    }
  });

  it('stays within 0 and 1 for any odds', () => {
    expect(probability(0)).toBe(0.5);
    expect(probability(1e9)).toBeCloseTo(1, 12);
    expect(probability(-1e9)).toBeCloseTo(0, 12);
  });
});
