import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { encodeFilter } from '../../src/model-file.js';
import { reportText } from '../../src/report.js';
import { runSweep, type SweepOutcome } from '../../src/run-sweep.js';
import { createSweep } from '../../src/sweep.js';
import { createHash } from 'node:crypto';
import { plainTasks } from '../plain-tasks.js';
import { SMALL_PLAN, SMALL_PLAN_TASKS } from '../small-plan.js';

const silent = { show() {}, note() {}, close() {} };
const routines = new URL('../../dist/routines.js', import.meta.url);

/** What the report says and which bytes the model has, computed by plain functions without any engine. */
let expected: { text: string; digest: string };
let directory: string;

async function run(workers: number, store: string): Promise<SweepOutcome> {
  const output = join(directory, 'models');
  const setup = { store: join(directory, store), output, name: 'small', workers, routines };
  return runSweep(SMALL_PLAN, setup, silent, new AbortController().signal);
}

function found({ report, saved }: SweepOutcome): typeof expected {
  return { text: reportText(report), digest: saved.digest };
}

beforeAll(async () => {
  const report = await createSweep(plainTasks)(SMALL_PLAN);
  const filter = {
    model: report.model,
    ngrams: SMALL_PLAN.ngrams,
    maxMailBytes: SMALL_PLAN.corpus.maxMailBytes,
  };
  const digest = createHash('sha256').update(encodeFilter(filter)).digest('hex');
  expected = { text: reportText(report), digest };
});

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'spam-sweep-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe.each([
  ['in the calling thread', 0],
  ['on a cluster of 1 worker', 1],
  ['on a cluster of 2 workers', 2],
  ['on a cluster of 4 workers', 4],
])('a sweep %s', (_, workers) => {
  it('finds bit for bit what plain functions find, executing every task once', async () => {
    const outcome = await run(workers, 'results');
    expect(found(outcome)).toEqual(expected);
    expect(outcome.summary).toEqual({
      tasks: SMALL_PLAN_TASKS,
      executed: SMALL_PLAN_TASKS,
      cached: 0,
      failed: 0,
      cancelled: 0,
    });
  });

  it('finds the same from the store, executing nothing', async () => {
    await run(workers, 'results');
    const again = await run(workers, 'results');
    expect(found(again)).toEqual(expected);
    expect(again.summary).toMatchObject({ tasks: SMALL_PLAN_TASKS, executed: 0, cached: SMALL_PLAN_TASKS });
  });
});

describe('results in the store', () => {
  it('serve every way to run', async () => {
    await run(2, 'shared');
    const local = await run(0, 'shared');
    expect(found(local)).toEqual(expected);
    expect(local.summary).toMatchObject({ executed: 0, cached: SMALL_PLAN_TASKS });
  });
});
