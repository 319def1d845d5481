import { buildCorpus, readMails } from '../src/corpus.js';
import { countPredictions } from '../src/evaluation.js';
import { extractFeatures } from '../src/features.js';
import { fitModel } from '../src/logistic-regression.js';
import { complete } from '../src/steps.js';
import type { SweepTasks } from '../src/sweep.js';

/** The tasks as plain functions: a sweep without any engine. */
export const plainTasks: SweepTasks = {
  loadCorpus: async (selection) => complete(buildCorpus(await readMails(), selection)),
  featurize: async (corpus, ngrams) => complete(extractFeatures(corpus, ngrams)),
  train: async (examples, parameters, seed) => complete(fitModel(examples, parameters, seed)),
  evaluate: async (model, examples) => countPredictions(model, examples),
};
