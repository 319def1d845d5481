import { createHash } from 'node:crypto';
import { currentRun, define } from '@routine-engine/core';
import { assignFolds as dealFolds } from '../../../examples/spam-sweep/dist/folds.js';
import { createSweep } from '../../../examples/spam-sweep/dist/sweep.js';
import {
  evaluateModel,
  indexNgrams,
  readCorpus,
  trainModel,
} from '../../../examples/spam-sweep/dist/tasks.js';
import { note, whileHeld } from './journal.mjs';

// The tasks of the spam sweep, each execution of which is told in the journal.

/**
 * @template {readonly unknown[]} Args
 * @template Result
 * @param {(...args: Args) => Result | Promise<Result>} body
 * @param {(...args: Args) => string} nameOf
 */
const told =
  (body, nameOf) =>
  async (/** @type {Args} */ ...args) => {
    const { runId, attempt, signal } = currentRun();
    const name = nameOf(...args);
    const execution = { name, task: `${name} ${digestOf(args)}`, runId, attempt };
    note({ type: 'begun', ...execution });
    await whileHeld(name, signal);
    const result = await body(...args);
    note({ type: 'ended', ...execution });
    return result;
  };

/** @param {readonly unknown[]} args */
function digestOf(args) {
  const text = JSON.stringify(args, (_key, value) => (ArrayBuffer.isView(value) ? sha256(value) : value));
  return sha256(text).slice(0, 16);
}

/** @param {string | NodeJS.ArrayBufferView} bytes */
function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}

const version = '1.0.0';
const loadCorpus = define.task(
  { name: 'loadCorpus', version },
  told(readCorpus, () => 'loadCorpus'),
);
const featurize = define.task(
  { name: 'featurize', version },
  told(indexNgrams, () => 'featurize'),
);
const assignFolds = define.task(
  { name: 'assignFolds', version },
  told(dealFolds, () => 'assignFolds'),
);
const train = define.task(
  { name: 'train', version },
  told(trainModel, (_features, { heldOut }) => (heldOut === undefined ? 'trainFinal' : 'train')),
);
const evaluate = define.task(
  { name: 'evaluate', version },
  told(evaluateModel, () => 'evaluate'),
);

/** Passes values around, not references: so nodes may each have a store of their own. */
export const sweepOfValues = define.workflow(
  { name: 'sweep-of-values' },
  createSweep({ loadCorpus, featurize, assignFolds, train, trainFinal: train, evaluate }),
);

export const sweep = define.workflow(
  { name: 'sweep' },
  createSweep({
    loadCorpus: (selection) => loadCorpus.ref(selection),
    featurize: (corpus, ngrams) => featurize.ref(corpus, ngrams),
    assignFolds,
    train: (...args) => train.ref(...args),
    trainFinal: train,
    evaluate,
  }),
);
