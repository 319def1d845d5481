import { setImmediate as nextTurn } from 'node:timers/promises';
import { currentRun, define } from '@routine-engine/core';
import { buildCorpus, type Corpus, type CorpusSelection, readMails } from './corpus.js';
import { type Confusion, countPredictions } from './evaluation.js';
import { extractFeatures, type Features, type NgramOptions } from './features.js';
import { assignFolds as dealFolds, heldOutRows, type Split, trainingRows } from './folds.js';
import { fitModel, type HyperParameters, type Model } from './logistic-regression.js';
import type { Steps } from './steps.js';
import { createSweep } from './sweep.js';

// Threads load this module by its file name: everything that a worker can run is defined here.

/** Reads the data set. Its version also stands for the release of the data set, which package.json pins. */
export const loadCorpus = define.task(
  { name: 'loadCorpus', version: '1.0.0' },
  async (selection: CorpusSelection): Promise<Corpus> => inTurns(buildCorpus(await readMails(), selection)),
);

/** Turns mails into a sparse matrix of hashed n-grams. */
export const featurize = define.task(
  { name: 'featurize', version: '1.0.0' },
  (corpus: Corpus, ngrams: NgramOptions): Promise<Features> => inTurns(extractFeatures(corpus, ngrams)),
);

/** Deals the rows of a matrix into the folds of a cross-validation. */
export const assignFolds = define.task({ name: 'assignFolds', version: '1.0.0' }, dealFolds);

/** Fits one logistic-regression model. */
export const train = define.task({ name: 'train', version: '1.0.0' }, trainModel);

/** Counts right and wrong predictions of a model for mails that it was not trained on. */
export const evaluate = define.task(
  { name: 'evaluate', version: '1.0.0' },
  (model: Model, features: Features, split: Split): Confusion =>
    countPredictions(model, features, heldOutRows(split)),
);

/** Cross-validates every hyper-parameter set of the plan, and fits the best to all mails. */
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

/** The body of {@link train}. */
export function trainModel(
  features: Features,
  split: Split,
  parameters: HyperParameters,
  seed: number,
): Promise<Model> {
  return inTurns(fitModel(features, trainingRows(split), parameters, seed));
}

/** Lets the thread hear a cancellation between two steps; with the local engine it is also the thread that draws. */
async function inTurns<T>(steps: Steps<T>): Promise<T> {
  const run = currentRun();
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    run.progress(step.value.done, step.value.total);
    await nextTurn();
    run.signal.throwIfAborted();
  }
}
