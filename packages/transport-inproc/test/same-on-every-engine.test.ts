import { RoutineEngineError } from '@routine-engine/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { engines, type Opened } from './fixtures/engines.ts';
import {
  Celsius,
  add,
  callsRoutine,
  changing,
  descend,
  echo,
  failing,
  recovers,
  reports,
  returnsFunction,
  sorted,
  throwsText,
  total,
  tree,
  warmer,
} from './fixtures/routines.ts';

describe.each(engines())('%s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  it('gives the result of a task', async () => {
    expect(await add(2, 3)).toBe(5);
  });

  it('gives the result of a workflow of tasks', async () => {
    expect(await total([1, 2, 3])).toBe(12);
  });

  it('sorts without touching the list it was given', async () => {
    const given = [3, 2, 1];
    expect(await sorted(given)).toEqual([1, 2, 3]);
    expect(given).toEqual([3, 2, 1]);
  });

  it('gives each caller a value of its own', async () => {
    const [one, two] = await Promise.all([sorted([2, 1]), sorted([2, 1])]);
    one.push(99);
    expect(two).toEqual([1, 2]);
    expect(await sorted([2, 1])).toEqual([1, 2]);
  });

  it('carries every kind of value as it was', async () => {
    const shared = { name: 'shared' };
    const value = {
      missing: undefined,
      nothing: null,
      numbers: [0, -0, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60, 0.1],
      big: 2n ** 200n,
      date: new Date(1_234_567),
      map: new Map<unknown, unknown>([[{ key: 1 }, new Set(['a', 2])]]),
      bytes: Buffer.from('bytes'),
      floats: new Float32Array([1.5, -2.5]),
      large: new Float64Array(10_000).fill(7),
      twice: [shared, shared],
    };
    const back = (await echo(value)) as typeof value;
    expect(back).toEqual(value);
    expect(Object.is(back.numbers[1], -0)).toBe(true);
    expect(back.twice[0]).toBe(back.twice[1]);
    expect(Object.hasOwn(back, 'missing')).toBe(true);
  });

  it('carries instances of a class that a serializer claims', async () => {
    const warmed = await warmer(new Celsius(20));
    expect(warmed).toBeInstanceOf(Celsius);
    expect(warmed.degrees).toBe(21);
  });

  it('gives the error of a task with class, code, properties, cause and the stack of where it was thrown', async () => {
    const error = await failing(11).catch(
      (caught: unknown) => caught as Error & { code: string; used: number },
    );
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'QuotaError', code: 'QUOTA', used: 11, message: 'used 11 of 10' });
    const { cause, stack } = error as Error;
    expect(cause).toBeInstanceOf(RangeError);
    expect((cause as Error).message).toBe('the disk is full');
    expect(stack).toContain('routines.ts');
  });

  it('lets a workflow handle the error of a task', async () => {
    expect(await recovers()).toEqual({
      name: 'QuotaError',
      code: 'QUOTA',
      used: 11,
      message: 'used 11 of 10',
      causeName: 'RangeError',
      causeMessage: 'the disk is full',
      isError: true,
    });
  });

  it('makes an error of a text that was thrown', async () => {
    await expect(throwsText()).rejects.toMatchObject({
      code: 'ROUTINE_THREW_NON_ERROR',
      message: expect.stringContaining('just a text'),
    });
  });

  it('refuses an argument that cannot be carried, and names its path', async () => {
    await expect(echo({ model: { fit: () => 1 } })).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringContaining('args[0].model.fit'),
    });
  });

  it('refuses a result that cannot be carried, and names its path', async () => {
    await expect(returnsFunction()).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringContaining('result.fit'),
    });
  });

  it('refuses a task that calls a routine', async () => {
    await expect(callsRoutine()).rejects.toMatchObject({
      code: 'TASK_CALLED_ROUTINE',
      message: expect.stringContaining('add'),
    });
  });

  it('tells a body which run it is', async () => {
    const run = await reports();
    expect(run.routineId).toBe('tname:test:reports:1.0.0');
    expect(run.runId).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(run.attempt).toBe(1);
  });

  it('finishes workflows nested 50 deep', async () => {
    expect(await descend(50)).toMatch(/^50 > 49 > .* > 1 > bottom$/);
  });

  it('finishes a tree of workflows', async () => {
    expect(await tree(5)).toBe(32);
  });

  it('runs a version that still changes', async () => {
    expect(await changing(2)).toBe(6);
    expect(await changing(2)).toBe(6);
  });

  it('calls a routine by its id', async () => {
    expect(await opened.lifecycle.call('tname:add:1.0.0', [4, 5])).toBe(9);
    expect(await opened.lifecycle.call('wfname:total', [[1]])).toBe(2);
  });

  it('tells the events of a run in order, with one terminal event', async () => {
    const { runId } = await reports();
    const types = opened.events.flatMap((event) =>
      'runId' in event && event.runId === runId ? [event.type] : [],
    );
    expect(types.filter((type) => type !== 'run.dispatched')).toEqual([
      'run.requested',
      'run.starting',
      'run.progress',
      'run.log',
      'run.progress',
      'run.completed',
    ]);
  });

  it('has no run in hand when all calls have settled', () => {
    expect(opened.lifecycle.engine.current).toEqual([]);
  });

  it('gives errors that are recognised by their class', async () => {
    await expect(throwsText()).rejects.toBeInstanceOf(RoutineEngineError);
  });
});
