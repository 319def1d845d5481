import { everythingRemote, executionPolicy, type EnginePlugin, type RunHandle } from '@routine-engine/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, open, type Opened } from './fixtures/engines.ts';
import {
  double,
  drawn,
  failsAt,
  flaky,
  hangsForEver,
  leavesDetached,
  series,
} from './fixtures/run-control-routines.ts';
import { sharedCluster } from './fixtures/shared-cluster.ts';

const modules = [new URL('./fixtures/run-control-routines.ts', import.meta.url)];
const DETACHED = { detached: true };

async function handleOf({ lifecycle }: Opened, runId: string): Promise<RunHandle<unknown>> {
  const handle = await lifecycle.runs.get(runId);
  if (!handle) throw new Error(`${runId} is not known`);
  return handle;
}

describe.each(engines())('a detached run on %s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  it('goes on when the run that submitted it is over, and is ended by its id', async () => {
    const { runs } = opened.lifecycle;
    const runId = await leavesDetached();
    const handle = await handleOf(opened, runId);
    expect(handle).toMatchObject({ runId, status: 'RUNNING', routineId: 'tname:test:hangs-for-ever:1.0.0' });
    expect(await runs.get(runId)).toBe(handle);
    expect(await runs.cancel(runId)).toBe(true);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(handle.status).toBe('CANCELLED');
  });

  it('is accepted, and gives its result as any that is submitted', async () => {
    const handle = double.with(DETACHED).submit(21);
    await handle.accepted();
    expect(await handle.result()).toBe(42);
    expect(handle.status).toBe('DONE');
  });

  it('is run again as its retries say, as long as who submitted it is there', async () => {
    const handle = flaky.with(DETACHED).submit(2);
    expect(await handle.result()).toEqual({ runId: handle.runId, attempt: 2 });
  });

  it('is answered from the store when its task has run before', async () => {
    const before = await drawn('the same');
    expect(await drawn.with(DETACHED).submit('the same').result()).toBe(before);
  });

  it('is submitted, and neither called nor mapped', async () => {
    const detached = double.with(DETACHED);
    const refused = { code: 'OPTION_INVALID' };
    await expect(detached(1)).rejects.toMatchObject(refused);
    await expect(detached.ref(1)).rejects.toMatchObject(refused);
    await expect(detached.map([1]).next()).rejects.toMatchObject(refused);
    expect(() => double.with({ detached: 'yes' as never })).toThrow(expect.objectContaining(refused));
  });
});

describe('a detached run whose client has closed', () => {
  let keeper: Opened;
  let other: Opened;
  let others: EnginePlugin;
  beforeAll(async () => {
    const shared = sharedCluster({ modules });
    others = shared.others;
    keeper = await open(shared.own, executionPolicy(everythingRemote));
    other = await open(others);
  });
  afterAll(async () => {
    await other.lifecycle.shutdown();
    await keeper.lifecycle.shutdown();
  });

  /** Submits as a client that closes at once, which waits until the service has the run. */
  async function leftBehind(submit: () => { readonly runId: string }): Promise<string> {
    await using client = await open(others);
    return client.lifecycle.run(async () => submit().runId);
  }

  it('gives its result to any node, and to each a value of its own', async () => {
    const runId = await leftBehind(() => series.with(DETACHED).submit(3));
    const [one, two] = [await handleOf(keeper, runId), await handleOf(other, runId)];
    ((await one.result()) as Float64Array).fill(7);
    expect(await two.result()).toEqual(Float64Array.from([0, 1, 2]));
    expect([one.status, two.status]).toEqual(['DONE', 'DONE']);
    expect(await other.lifecycle.runs.list({ status: 'DONE' })).toMatchObject([{ runId, detached: true }]);
  });

  it('gives its error to any node, with class and code', async () => {
    const runId = await leftBehind(() => failsAt.with(DETACHED).submit(1, 1));
    const handle = await handleOf(other, runId);
    await expect(handle.result()).rejects.toMatchObject({ name: 'FlakyError', code: 'FLAKY' });
    expect(handle.status).toBe('FAILED');
  });

  it('is cancelled through the handle of another node', async () => {
    const runId = await leftBehind(() => hangsForEver.with(DETACHED).submit());
    const handle = await handleOf(other, runId);
    handle.cancel(new Error('enough'));
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(handle.status).toBe('CANCELLED');
    expect(await keeper.lifecycle.runs.list({ status: ['PENDING', 'RUNNING'] })).toEqual([]);
  });

  it('is undefined when nobody knows it', async () => {
    expect(await other.lifecycle.runs.get('no-such-run')).toBeUndefined();
  });
});
