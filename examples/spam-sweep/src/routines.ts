import { define } from '@routine-engine/core';
import { assignFolds as dealFolds } from './folds.js';
import { createSweep } from './sweep.js';
import { evaluateModel, indexNgrams, readCorpus, trainModel } from './tasks.js';

// Threads load this module by its file name: everything that a worker can run is defined here.

/** Its version also stands for the release of the data set, which package.json pins. */
export const loadCorpus = define.task({ name: 'loadCorpus', version: '1.0.0' }, readCorpus);

export const featurize = define.task({ name: 'featurize', version: '1.0.0' }, indexNgrams);

export const assignFolds = define.task({ name: 'assignFolds', version: '1.0.0' }, dealFolds);

export const train = define.task({ name: 'train', version: '1.0.0' }, trainModel);

export const evaluate = define.task({ name: 'evaluate', version: '1.0.0' }, evaluateModel);

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
