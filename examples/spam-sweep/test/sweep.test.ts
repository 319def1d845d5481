import { beforeAll, describe, expect, it } from 'vitest';
import { accuracy } from '../src/evaluation.js';
import type { Features } from '../src/features.js';
import { heldOutRows, type Split, trainingRows } from '../src/folds.js';
import type { HyperParameters, Model } from '../src/logistic-regression.js';
import { PRESETS } from '../src/presets.js';
import {
  createSweep,
  heldOutPredictions,
  plannedCalls,
  type SweepReport,
  type SweepTasks,
} from '../src/sweep.js';
import { plainTasks } from './plain-tasks.js';
import { SMALL_PLAN, SMALL_PLAN_TASKS } from './small-plan.js';
import { matrix } from './toy-data.js';

const toy = matrix(
  Array.from({ length: 12 }, (_, row) => [row % 2, 2 + (row % 3)]),
  Array.from({ length: 12 }, (_, row) => row % 2),
);
/** Training refuses these. */
const NO_PARAMETERS = { learningRate: 0, epochs: 0, l2: 0 };
const toyPlan = { ...SMALL_PLAN, folds: 4 };

/** Tasks that work on the toy data, one of them replaced. */
function toyTasks(replaced: Partial<SweepTasks> = {}): SweepTasks {
  return { ...plainTasks, loadCorpus: async () => emptyCorpus, featurize: async () => toy, ...replaced };
}
const emptyCorpus = {
  text: new Uint8Array(0),
  textStarts: new Uint32Array(1),
  labels: new Uint8Array(0),
  groups: new Uint32Array(0),
};

describe('a sweep', () => {
  let report: SweepReport;
  beforeAll(async () => {
    report = await createSweep(plainTasks)(SMALL_PLAN);
  });

  it('predicts every mail exactly once for each hyper-parameter set', () => {
    expect(report.mails).toBe(605);
    for (const score of report.scores) {
      const { truePositives, falsePositives, trueNegatives, falseNegatives } = heldOutPredictions(score);
      expect(truePositives + falsePositives + trueNegatives + falseNegatives).toBe(report.mails);
      expect(truePositives + falseNegatives).toBe(report.spam);
      expect(score.accuracy.mean).toBeCloseTo(accuracy(heldOutPredictions(score)), 2);
    }
  });

  it('picks the set with the highest mean accuracy and fits it to all mails', async () => {
    const means = report.scores.map((score) => score.accuracy.mean);
    expect(means[report.best]).toBe(Math.max(...means));
    const features = await plainTasks.featurize(
      await plainTasks.loadCorpus(SMALL_PLAN.corpus),
      SMALL_PLAN.ngrams,
    );
    const winner = report.scores[report.best]?.parameters ?? NO_PARAMETERS;
    const { folds } = await plainTasks.assignFolds(features, SMALL_PLAN.folds, SMALL_PLAN.seed);
    expect(report.model).toEqual(await plainTasks.train(features, { folds }, winner, SMALL_PLAN.seed));
  });

  it('gives the same report when models are made one by one', async () => {
    expect(await createSweep(plainTasks)({ ...SMALL_PLAN, oneByOne: true })).toEqual(report);
  });

  it('calls tasks as often as planned', async () => {
    const calls = { loadCorpus: 0, featurize: 0, assignFolds: 0, train: 0, trainFinal: 0, evaluate: 0 };
    const counted = Object.fromEntries(
      Object.entries(toyTasks()).map(([name, task]) => [
        name,
        (...args: never[]) => {
          calls[name as keyof SweepTasks]++;
          return (task as (...given: never[]) => unknown)(...args);
        },
      ]),
    ) as unknown as SweepTasks;
    await createSweep(counted)(toyPlan);
    const { trainFinal, ...others } = calls;
    expect({ ...others, train: others.train + trainFinal }).toEqual(plannedCalls(toyPlan));
    expect(Object.values(plannedCalls(SMALL_PLAN)).reduce((sum, count) => sum + count)).toBe(
      SMALL_PLAN_TASKS,
    );
  });

  it('never trains on a mail, or a copy of it, that the model is asked about', async () => {
    const trainedOn = new Map<unknown, Uint32Array>();
    const overlaps: number[] = [];
    const tasks = toyTasks({
      async train(features: Features, split: Split, parameters: HyperParameters, seed: number) {
        const model = await plainTasks.train(features, split, parameters, seed);
        trainedOn.set(model, trainingRows(split));
        return model;
      },
      async evaluate(model: Model, features: Features, split: Split) {
        const groupsOf = (rows: Uint32Array) => [...rows].map((row) => features.groups[row]);
        const seen = new Set(groupsOf(trainedOn.get(model) ?? new Uint32Array(0)));
        overlaps.push(groupsOf(heldOutRows(split)).filter((group) => seen.has(group)).length);
        return plainTasks.evaluate(model, features, split);
      },
    });
    await createSweep(tasks)(toyPlan);
    expect(overlaps).toEqual(Array.from({ length: toyPlan.folds * toyPlan.grid.length }, () => 0));
    expect([...trainedOn.values()].every((rows) => rows.length >= 8)).toBe(true);
  });

  it.each([
    ['all models at once', {}, 8],
    ['one model at a time when told so, and begins none after a failure', { oneByOne: true }, 1],
  ])('works on %s', async (_, how, expected) => {
    let begun = 0;
    const tasks = toyTasks({
      async train() {
        begun++;
        await new Promise(setImmediate);
        throw new Error('no more');
      },
    });
    await expect(createSweep(tasks)({ ...toyPlan, ...how })).rejects.toThrow('no more');
    await new Promise(setImmediate);
    expect(begun).toBe(expected);
  });

  it('refuses an empty grid', async () => {
    await expect(createSweep(toyTasks())({ ...toyPlan, grid: [] })).rejects.toThrow('no hyper-parameter set');
  });
});

describe('the quick preset', () => {
  it('reaches 98 % mean accuracy on held-out mails, here with one of its sets', async () => {
    const { quick } = PRESETS;
    const { scores } = await createSweep(plainTasks)({ ...quick, grid: quick.grid.slice(-1) });
    expect(scores[0]?.accuracy.mean).toBeGreaterThan(0.98);
  }, 60_000);
});
