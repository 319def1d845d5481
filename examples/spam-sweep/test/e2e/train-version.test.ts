import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { define, Lifecycle, type Task } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Model } from '../../src/logistic-regression.js';
import { NO_PROGRESS, reduceProgress, routineName, type RunView } from '../../src/progress-view.js';
import { assignFolds, evaluate, featurize, loadCorpus, sweep } from '../../src/routines.js';
import { createSweep, plannedCalls, type SweepPlan, type SweepReport } from '../../src/sweep.js';
import { trainModel } from '../../src/tasks.js';
import { SMALL_PLAN } from '../small-plan.js';

type Training = Parameters<typeof trainModel>;

/** The sweep with another `train`. */
function sweepWith(name: string, other: Task<Training, Promise<Model>>) {
  return define.workflow(
    { name },
    createSweep({
      loadCorpus: (selection) => loadCorpus.ref(selection),
      featurize: (corpus, ngrams) => featurize.ref(corpus, ngrams),
      assignFolds,
      train: (...args) => other.ref(...args),
      trainFinal: other,
      evaluate,
    }),
  );
}

/** Nothing but the version is new. */
const sweepWithSameTrain = sweepWith(
  'sweep-with-same-train',
  define.task({ name: 'train', version: '1.0.1' }, trainModel),
);

/** The models are new as well. */
const sweepWithOtherTrain = sweepWith(
  'sweep-with-other-train',
  define.task({ name: 'train', version: '2.0.0' }, (...[features, split, parameters, seed]: Training) =>
    trainModel(features, split, parameters, seed + 1),
  ),
);

describe('after a change of the version of train', () => {
  let directory: string;
  let first: SweepReport;

  /** @returns the report, and how many runs of each task were executed. */
  async function run(workflow: (plan: SweepPlan) => Promise<SweepReport>) {
    let state = NO_PROGRESS;
    const lifecycle = await Lifecycle.init({
      project: 'spam-sweep',
      plugins: [fsStore({ dir: directory })],
    });
    lifecycle.events$.subscribe((event) => {
      state = reduceProgress(state, event);
    });
    try {
      const report = await workflow(SMALL_PLAN);
      return { report, executed: countExecuted([...state.runs.values()]) };
    } finally {
      await lifecycle.shutdown();
    }
  }

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'spam-sweep-'));
    ({ report: first } = await run(sweep));
  });
  afterAll(() => rm(directory, { recursive: true }));

  it('only the trains run again when they give the same models', async () => {
    const { report, executed } = await run(sweepWithSameTrain);
    expect(executed).toEqual({ train: plannedCalls(SMALL_PLAN).train });
    expect(report).toEqual(first);
  });

  it('the trains and the evaluations of new models run again, and nothing else', async () => {
    const { report, executed } = await run(sweepWithOtherTrain);
    const { train: trains, evaluate: evaluations } = plannedCalls(SMALL_PLAN);
    expect(executed).toEqual({ train: trains, evaluate: evaluations });
    expect(report.model).not.toEqual(first.model);
  });
});

function countExecuted(runs: readonly RunView[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state, routineId } of runs) {
    if (state !== 'done' || routineId.startsWith('wfname:')) continue;
    const name = routineName(routineId);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}
