import { everythingRemote, executionPolicy, type RunHandle } from '@routine-engine/core';
import { filter, firstValueFrom } from 'rxjs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, local, type Opened } from './fixtures/engines.ts';
import {
  double,
  endless,
  endlessAttended,
  failsAt,
  flaky,
  hangsForEver,
  leavesMap,
  leavesSubmitted,
  mapsInside,
  numbersUpTo,
  power,
  shelves,
  slowChild,
  submitsInside,
} from './fixtures/run-control-routines.ts';
import { waitsForChild } from './fixtures/routines.ts';

const engines: [string, () => Promise<Opened>][] = [
  ['the local engine', () => local()],
  ['a cluster of one worker', () => cluster(1)()],
  ['a cluster where nothing runs here', () => cluster(2)(executionPolicy(everythingRemote))],
];

async function collect<T>(results: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const result of results) collected.push(result);
  return collected;
}

/** Resolves once the run does that. */
const reaches = (handle: RunHandle<unknown>, wanted: string): Promise<string> =>
  firstValueFrom(handle.status$.pipe(filter((status) => status === wanted)));

describe.each(engines)('on %s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  it('map gives results in the order of the items, outside runs and inside', async () => {
    const expected = [...numbersUpTo(50)].map((n) => 2 * n);
    expect(await collect(double.map(numbersUpTo(50), { concurrency: 7 }))).toEqual(expected);
    expect(await mapsInside(50)).toEqual(expected);
  });

  it('map makes the arguments of a call from an item', async () => {
    const results = power.map([2, 3], { args: (base, index) => [base, index + 1] });
    expect(await collect(results)).toEqual([2, 9]);
  });

  it('map throws the first failure, and cancels the others', async () => {
    const results = failsAt.map([1, 7, 5, 8], { args: (n) => [n, 5], ordered: false });
    await expect(collect(results)).rejects.toMatchObject({ name: 'FlakyError', message: 'no 5' });
    expect(opened.lifecycle.engine.current).toEqual([]);
  });

  it('map gives failures as results, when it is asked to', async () => {
    const results = await collect(failsAt.map([1, 2], { args: (n) => [n, 2], settled: true }));
    expect(results).toMatchObject([
      { status: 'fulfilled', value: 1 },
      { status: 'rejected', reason: { name: 'FlakyError', message: 'no 2' } },
    ]);
  });

  it('map cancels what is under way and closes the items when it is left early', async () => {
    const { pulled, closed } = await leavesMap();
    expect(closed).toBe(true);
    expect(pulled).toBeLessThanOrEqual(7);
    const cancelled = await opened.event('run.cancelled', ({ routineId }) => routineId.includes('fails-at'));
    expect(cancelled.error.code).toBe('RUN_CANCELLED');
  });

  it('submit starts a run, and tells what becomes of it', async () => {
    const handle = flaky.submit(2);
    expect(handle.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(handle.routineId).toBe('tname:test:flaky:1.0.0');
    const statuses: string[] = [];
    handle.status$.subscribe((status) => statuses.push(status));
    expect(await handle.result()).toEqual({ runId: handle.runId, attempt: 2 });
    expect(await handle.result()).toBe(await handle.result());
    expect(handle.status).toBe('DONE');
    expect(statuses).toContain('RUNNING');
    expect(statuses.at(-1)).toBe('DONE');
  });

  it('submit inside a run gives its result, and ends with the run that submitted', async () => {
    const { result, after, routineId } = await submitsInside();
    expect({ result, after, routineId }).toEqual({
      result: 42,
      after: 'DONE',
      routineId: 'tname:test:double:1.0.0',
    });
    const left = await leavesSubmitted();
    await opened.event('run.cancelled', ({ runId }) => runId === left);
  });

  it('submit harms nothing when nobody asks what became of the run', async () => {
    const handle = failsAt.submit(1, 1);
    await reaches(handle, 'FAILED');
    await expect(handle.result()).rejects.toMatchObject({ name: 'FlakyError' });
  });

  it('submit refuses at once what can not be carried', () => {
    expect(() => double.submit((() => 1) as never)).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }),
    );
  });

  it('a handle cancels its run, and what that called', async () => {
    const handle = waitsForChild.submit();
    await opened.event('run.starting', ({ parentRunId }) => parentRunId === handle.runId);
    handle.cancel(new Error('enough'));
    await expect(handle.result()).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
      cause: { message: 'enough' },
    });
    expect(handle.status).toBe('CANCELLED');
    await opened.event('run.cancelled', ({ parentRunId }) => parentRunId === handle.runId);
  });

  it('runs are found, listed and cancelled by their ids', async () => {
    const { runs } = opened.lifecycle;
    const handle = hangsForEver.submit();
    const call = hangsForEver().catch((error: unknown) => error);
    await reaches(handle, 'RUNNING');
    expect(await runs.get(handle.runId)).toMatchObject({ runId: handle.runId, status: 'RUNNING' });
    const listed = await runs.list({ routine: 'tname:hangs-for-ever', status: ['PENDING', 'RUNNING'] });
    expect(listed).toHaveLength(2);
    const called = listed.find(({ runId }) => runId !== handle.runId)?.runId ?? '';
    await expect((await runs.get(called))?.result()).rejects.toMatchObject({ code: 'RUN_NOT_SUBMITTED' });
    for (const runId of [handle.runId, called]) expect(await runs.cancel(runId, 'enough')).toBe(true);
    expect(await call).toMatchObject({ code: 'RUN_CANCELLED' });
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await runs.cancel(handle.runId)).toBe(false);
    expect((await runs.get(handle.runId))?.status).toBe('CANCELLED');
    expect(await runs.get('no such run')).toBeUndefined();
  });

  it('a recursion without an end is refused, with the end of its chain', async () => {
    await expect(endless(0)).rejects.toMatchObject({
      code: 'RECURSIVE_CALL',
      message: expect.stringContaining('wfname:test:endless > wfname:test:endless'),
    });
    await expect(endlessAttended(0)).rejects.toMatchObject({ code: 'RECURSIVE_CALL' });
    expect(opened.lifecycle.engine.current).toEqual([]);
  });

  it('have no run in hand when all of it is over', async () => {
    expect(await slowChild()).toBe(2);
    expect(opened.lifecycle.engine.current).toEqual([]);
  });
});

it.each([
  ['the local engine', () => local()],
  ['one background thread', () => cluster(1)(executionPolicy(everythingRemote))],
])('refuses on %s to wait for itself, or for what waits for it', async (_, start) => {
  await using opened = await start();
  await expect(shelves(0)).rejects.toMatchObject({
    code: 'RECURSIVE_CALL',
    message: expect.stringContaining('it is itself'),
  });
  await expect(shelves(2)).rejects.toMatchObject({
    code: 'RECURSIVE_CALL',
    message: expect.stringContaining('waits for it'),
  });
  expect(opened.lifecycle.engine.current).toEqual([]);
});
