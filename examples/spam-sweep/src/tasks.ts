import { setImmediate as nextTurn } from 'node:timers/promises';
import { currentRun } from '@routine-engine/core';
import { buildCorpus, type Corpus, type CorpusSelection, readMails } from './corpus.js';
import { type Confusion, countPredictions } from './evaluation.js';
import { extractFeatures, type Features, type NgramOptions } from './features.js';
import { heldOutRows, type Split, trainingRows } from './folds.js';
import { fitModel, type HyperParameters, type Model } from './logistic-regression.js';
import type { Steps } from './steps.js';

/** Reads the data set. */
export async function readCorpus(selection: CorpusSelection): Promise<Corpus> {
  return inTurns(buildCorpus(await readMails(), selection));
}

/** Turns mails into a sparse matrix of hashed n-grams. */
export function indexNgrams(corpus: Corpus, ngrams: NgramOptions): Promise<Features> {
  return inTurns(extractFeatures(corpus, ngrams));
}

/** Fits one logistic-regression model. */
export function trainModel(
  features: Features,
  split: Split,
  parameters: HyperParameters,
  seed: number,
): Promise<Model> {
  return inTurns(fitModel(features, trainingRows(split), parameters, seed));
}

/** Counts right and wrong predictions of a model for mails that it was not trained on. */
export function evaluateModel(model: Model, features: Features, split: Split): Confusion {
  return countPredictions(model, features, heldOutRows(split));
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
