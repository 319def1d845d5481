import { buildCorpus, type Corpus, type CorpusSelection, readMails } from '../src/corpus.js';
import { countPredictions } from '../src/evaluation.js';
import { extractFeatures, type Features, type NgramOptions } from '../src/features.js';
import { assignFolds, heldOutRows, type Split, trainingRows } from '../src/folds.js';
import { fitModel, type HyperParameters, type Model } from '../src/logistic-regression.js';
import { complete } from '../src/steps.js';
import type { SweepTasks } from '../src/sweep.js';

const train = async (features: Features, split: Split, parameters: HyperParameters, seed: number) =>
  complete(fitModel(features, trainingRows(split), parameters, seed));

/** The tasks as plain functions, from values to values: a sweep without any engine. */
export const plainTasks = {
  loadCorpus: async (selection: CorpusSelection) => complete(buildCorpus(await readMails(), selection)),
  featurize: async (corpus: Corpus, ngrams: NgramOptions) => complete(extractFeatures(corpus, ngrams)),
  assignFolds: async (features: Features, foldCount: number, seed: number) =>
    assignFolds(features, foldCount, seed),
  train,
  trainFinal: train,
  evaluate: async (model: Model, features: Features, split: Split) =>
    countPredictions(model, features, heldOutRows(split)),
} satisfies SweepTasks;
