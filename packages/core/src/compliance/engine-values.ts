import assert from 'node:assert/strict';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { assertRejects } from './result-store-samples.js';
import type { EngineCase } from './engine-subject.js';

async function errorOf(promise: Promise<unknown>): Promise<Error & { code?: unknown; used?: unknown }> {
  const outcome = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(outcome instanceof Error, 'it did not fail with an error');
  return outcome;
}

export const engineValueCases: readonly EngineCase[] = [
  {
    id: 'engine/values/results',
    title: 'gives the results of tasks, of workflows of tasks, and of routines called by their id',
    promise: 'same-value',
    run: async ({ lifecycle, routines: { add, total } }) => {
      assert.equal(await lifecycle.run(() => add(2, 3)), 5);
      assert.equal(await lifecycle.run(() => total([1, 2, 3])), 9);
      assert.equal(await lifecycle.call('tname:compliance-add:1.0.0', [4, 5]), 9);
      assert.equal(await lifecycle.call('wfname:compliance-total', [[1]]), 2);
    },
  },
  {
    id: 'engine/values/kinds',
    title: 'carries every kind of value as it was, there and back',
    promise: 'equal-or-refused',
    run: async ({ lifecycle, routines: { echo } }) => {
      const shared = { name: 'shared' };
      const value = {
        missing: undefined,
        numbers: [0, -0, NaN, Infinity, 2 ** 60, 0.1],
        big: 2n ** 200n,
        date: new Date(1_234_567),
        map: new Map<unknown, unknown>([[{ key: 1 }, new Set(['a', 2])]]),
        bytes: Buffer.from('bytes'),
        large: new Float64Array(10_000).fill(7),
        error: new TypeError('as a value'),
        twice: [shared, shared],
      };
      const back = (await lifecycle.run(() => echo(value))) as typeof value;
      assert.deepEqual(back, value);
      assert.equal(back.twice[0], back.twice[1], 'one part became two');
    },
  },
  {
    id: 'engine/values/large',
    title: 'gives a result of 32 MiB byte by byte',
    promise: 'values-streamed',
    run: async ({ lifecycle, routines: { bytes, patterned } }) => {
      const length = 32 * 1024 * 1024 + 5;
      const arrived = await lifecycle.run(() => bytes(length));
      assert.equal(arrived.byteLength, length);
      assert.equal(Buffer.compare(arrived, patterned(length)), 0);
    },
  },
  {
    id: 'engine/values/arguments-untouched',
    title: 'changes nothing of the arguments of its caller',
    promise: 'arguments-untouched',
    run: async ({ lifecycle, routines: { sorted } }) => {
      const given = [3, 2, 1];
      assert.deepEqual(await lifecycle.run(() => sorted(given)), [1, 2, 3]);
      assert.deepEqual(given, [3, 2, 1]);
    },
  },
  {
    id: 'engine/values/own',
    title: 'gives each caller a value of its own',
    promise: 'own-value',
    run: async ({ lifecycle, routines: { sorted } }) => {
      const call = (): Promise<number[]> => lifecycle.run(() => sorted([2, 1]));
      const [one, two] = await Promise.all([call(), call()]);
      one.push(99);
      assert.deepEqual(two, [1, 2]);
      assert.deepEqual(await call(), [1, 2]);
    },
  },
  {
    id: 'engine/values/refused',
    title: 'refuses arguments and results that cannot be carried, with their path',
    promise: 'equal-or-refused',
    run: async ({ lifecycle, routines: { echo, returnsFunction } }) => {
      const refused = await errorOf(lifecycle.run(() => echo({ model: { fit: () => 1 } })));
      assert.equal(refused.code, 'VALUE_NOT_ENCODABLE');
      assert.ok(refused.message.includes('args[0].model.fit'), refused.message);
      const result = await errorOf(lifecycle.run(() => returnsFunction()));
      assert.equal(result.code, 'VALUE_NOT_ENCODABLE');
      assert.ok(result.message.includes('result.fit'), result.message);
    },
  },
];

export const engineErrorCases: readonly EngineCase[] = [
  {
    id: 'engine/errors/whole',
    title: 'gives the error of a task with class name, code, properties, cause and stack',
    promise: 'errors-whole',
    run: async ({ lifecycle, routines: { failing } }) => {
      const error = await errorOf(lifecycle.run(() => failing(11)));
      const { name, code, used, message, cause, stack = '' } = error;
      assert.deepEqual(
        { name, code, used, message },
        { name: 'QuotaError', code: 'QUOTA', used: 11, message: 'used 11 of 10' },
      );
      assert.ok(cause instanceof RangeError, 'its cause is another class');
      assert.ok(stack.includes('engine-routines'), stack);
    },
  },
  {
    id: 'engine/errors/caught',
    title: 'lets a workflow catch the error of a task',
    promise: 'errors-whole',
    run: async ({ lifecycle, routines: { recovers } }) => {
      const expected = {
        name: 'QuotaError',
        message: 'used 11 of 10',
        cause: 'the disk is full',
        isError: true,
      };
      assert.deepEqual(await lifecycle.run(() => recovers()), expected);
    },
  },
  {
    id: 'engine/errors/no-errors',
    title: 'makes an error of a text that was thrown',
    promise: 'errors-whole',
    run: async ({ lifecycle, routines: { throwsText } }) => {
      const error = await errorOf(lifecycle.run(() => throwsText()));
      assert.ok(error instanceof RoutineEngineError);
      assert.equal(error.code, 'ROUTINE_THREW_NON_ERROR');
    },
  },
  {
    id: 'engine/errors/tasks-call-nothing',
    title: 'refuses a task that calls a routine',
    promise: 'settles-once',
    run: async ({ lifecycle, routines: { callsRoutine } }) => {
      await assertRejects(
        lifecycle.run(() => callsRoutine()),
        'TASK_CALLED_ROUTINE',
      );
    },
  },
  {
    id: 'engine/errors/retried',
    title: 'runs again what failed, as its retries say, as one run whose attempts count',
    promise: 'retried-as-one-run',
    run: async ({ lifecycle, events, routines: { third } }) => {
      assert.equal(await lifecycle.run(() => third('a')), 3);
      assert.equal(
        events.filter(({ type }) => type === 'run.retrying').length,
        2,
        'times that it was run again',
      );
    },
  },
];
