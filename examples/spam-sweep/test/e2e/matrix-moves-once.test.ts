import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EngineEvent, Lifecycle } from '@routine-engine/core';
import { fsStore } from '@routine-engine/store-fs';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sweep } from '../../src/routines.js';
import { createSweep, plannedCalls, type SweepPlan, type SweepReport } from '../../src/sweep.js';
import { plainTasks } from '../plain-tasks.js';
import { SMALL_PLAN } from '../small-plan.js';

/** The fewest mails of which the columns of the matrix are too long to stay within a message: 363 kB. */
const PLAN: SweepPlan = { ...SMALL_PLAN, corpus: { every: 30, maxMailBytes: 4096 } };
const MESSAGE_BYTES = 256 * 1024;

interface Told {
  readonly report: SweepReport;
  readonly events: readonly EngineEvent[];
}

describe('the matrix of a sweep on a cluster', () => {
  let directory: string;
  let first: Told;
  /** SHA-256 of the columns, computed without any engine. */
  let digest: string;

  beforeAll(async () => {
    const { columns } = await plainTasks.featurize(await plainTasks.loadCorpus(PLAN.corpus), PLAN.ngrams);
    expect(columns.byteLength).toBeGreaterThanOrEqual(MESSAGE_BYTES);
    digest = createHash('sha256').update(columns).digest('hex');

    directory = await mkdtemp(join(tmpdir(), 'spam-sweep-'));
    first = await start(directory);
  });
  afterAll(() => rm(directory, { recursive: true }));

  /** How often this became of the columns. */
  const count = (type: EngineEvent['type']) =>
    first.events.filter((event) => event.type === type && 'digest' in event && event.digest === digest)
      .length;

  it('is put into the store once and fetched from it once, however many tasks need it', () => {
    const { assignFolds, train, evaluate } = plannedCalls(PLAN);
    expect(count('content.stored')).toBe(1);
    expect(count('content.fetched')).toBe(1);
    expect(count('content.reused')).toBe(assignFolds + train + evaluate - 1);
  });

  it('goes with no call', () => {
    const sent = first.events.flatMap((event) => (event.type === 'run.dispatched' ? [event.byteLength] : []));
    expect(sent).toHaveLength(Object.values(plannedCalls(PLAN)).reduce((sum, calls) => sum + calls));
    // Two references with their digests, the folds of 202 mails, and numbers.
    expect(Math.max(...sent)).toBeLessThan(4096);
  });

  it('is the one that plain functions pass around', async () => {
    expect(first.report).toEqual(await createSweep(plainTasks)(PLAN));
  });

  it('is not read by a start that finds all results in the store', async () => {
    const { events, report } = await start(directory);
    expect(report).toEqual(first.report);
    expect(events.filter(({ type }) => type.startsWith('content.'))).toEqual([]);
  });
});

/** One sweep on a cluster of two workers that share this store. */
async function start(store: string): Promise<Told> {
  const events: EngineEvent[] = [];
  const modules = [new URL('../../dist/routines.js', import.meta.url)];
  const lifecycle = await Lifecycle.init({
    project: 'spam-sweep',
    plugins: [fsStore({ dir: store }), embeddedCluster({ workers: 2, modules })],
  });
  lifecycle.events$.subscribe((event) => events.push(event));
  try {
    return { report: await sweep(PLAN), events };
  } finally {
    await lifecycle.shutdown();
  }
}
