import type { Features } from './features.js';
import { seededIntegers, shuffle } from './random.js';
import type { Steps } from './steps.js';

/** What a sweep varies. */
export interface HyperParameters {
  /** Step size of the first epoch; it falls linearly and would be 0 after the last. */
  readonly learningRate: number;
  /** Passes over the rows. */
  readonly epochs: number;
  /** Strength of the penalty `l2 / 2 * |weights|^2` that is added to the mean log loss; the bias is not penalized. */
  readonly l2: number;
}

/** A logistic-regression model: spam when `weights . row + bias > 0`. */
export interface Model {
  /** One weight a column of {@link Features}. */
  readonly weights: Float32Array;
  readonly bias: number;
}

/** Below this the shared factor of the weights is multiplied in, long before it would lose precision. */
const MIN_SCALE = 1e-3;

/**
 * Fits a model to `rows` of a matrix by stochastic gradient descent, one row at a time. The same arguments give the same
 * bits everywhere: the order is shuffled from `seed`, and only operations are used whose results IEEE 754 fixes.
 *
 * @throws RangeError when a hyper-parameter is out of range.
 */
export function* fitModel(
  features: Features,
  rows: Uint32Array,
  parameters: HyperParameters,
  seed: number,
): Steps<Model> {
  checkParameters(parameters);
  const { learningRate, epochs } = parameters;
  const nextBelow = seededIntegers(seed);
  const order = rows.slice();
  const descent = new Descent(features, parameters.l2);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, nextBelow);
    descent.pass(order, learningRate * (1 - epoch / epochs));
    yield { done: epoch + 1, total: epochs };
  }
  return descent.model();
}

/** Log odds of row `row` being spam, positive for spam. */
export function logOdds(model: Model, features: Features, row: number): number {
  const start = features.rowStarts[row] ?? 0;
  const end = features.rowStarts[row + 1] ?? 0;
  return sumOfWeights(model.weights, features.columns, start, end) * entryValue(end - start) + model.bias;
}

/** Probability that corresponds to `odds`, the logarithm of odds. */
export function probability(odds: number): number {
  return 1 / (1 + exponential(-odds));
}

class Descent {
  readonly #features: Features;
  readonly #l2: number;
  readonly #weights: Float32Array;
  /** The weights are `scale * #weights`: so the penalty costs one multiplication a step, not one a column. */
  #scale = 1;
  #bias = 0;

  constructor(features: Features, l2: number) {
    this.#features = features;
    this.#l2 = l2;
    this.#weights = new Float32Array(features.columnCount);
  }

  /** One epoch. */
  pass(order: Uint32Array, rate: number): void {
    const { rowStarts, labels } = this.#features;
    const decay = 1 - rate * this.#l2;
    for (const row of order) {
      this.#step(rowStarts[row] ?? 0, rowStarts[row + 1] ?? 0, labels[row] ?? 0, rate, decay);
    }
  }

  model(): Model {
    this.#multiplyScaleIn();
    return { weights: this.#weights, bias: this.#bias };
  }

  #step(start: number, end: number, label: number, rate: number, decay: number): void {
    const weights = this.#weights;
    const { columns } = this.#features;
    const value = entryValue(end - start);
    const odds = sumOfWeights(weights, columns, start, end) * value * this.#scale + this.#bias;
    const error = probability(odds) - label;
    this.#scale *= decay;
    this.#bias -= rate * error;
    const change = (rate * error * value) / this.#scale;
    for (let entry = start; entry < end; entry++) {
      const column = columns[entry] ?? 0;
      weights[column] = (weights[column] ?? 0) - change;
    }
    if (this.#scale < MIN_SCALE) this.#multiplyScaleIn();
  }

  #multiplyScaleIn(): void {
    const weights = this.#weights;
    for (let column = 0; column < weights.length; column++)
      weights[column] = (weights[column] ?? 0) * this.#scale;
    this.#scale = 1;
  }
}

/** What each entry of a row with `entries` entries stands for, so that the row has length 1. */
function entryValue(entries: number): number {
  return entries > 0 ? 1 / Math.sqrt(entries) : 0;
}

function sumOfWeights(
  weights: Float32Array,
  columns: Features['columns'],
  start: number,
  end: number,
): number {
  let sum = 0;
  for (let entry = start; entry < end; entry++) sum += weights[columns[entry] ?? 0] ?? 0;
  return sum;
}

/**
 * e to the power `x`, to about 12 digits. `Math.exp` may differ in the last bit between versions of the runtime, and a
 * cluster may mix them; the Taylor series of `x / 1024`, squared ten times, cannot.
 */
function exponential(x: number): number {
  // Beyond this the probability is 0 or 1 to all digits that a weight can hold.
  const small = Math.max(-40, Math.min(40, x)) / 1024;
  let power = 1 + small * (1 + (small / 2) * (1 + (small / 3) * (1 + (small / 4) * (1 + small / 5))));
  for (let squaring = 0; squaring < 10; squaring++) power *= power;
  return power;
}

function checkParameters({ learningRate, epochs, l2 }: HyperParameters): void {
  if (!(learningRate > 0 && learningRate < Infinity)) {
    throw new RangeError(`learningRate is ${learningRate}: expected a number above 0`);
  }
  if (!Number.isInteger(epochs) || epochs < 1) {
    throw new RangeError(`epochs is ${epochs}: expected a whole number from 1 on`);
  }
  // With a larger product the penalty would turn the weights' sign around at every step.
  if (!(l2 >= 0 && l2 * learningRate < 1)) {
    throw new RangeError(`l2 is ${l2}: expected a number from 0 on, and less than 1 / learningRate`);
  }
}
