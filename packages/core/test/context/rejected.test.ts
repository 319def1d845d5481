import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rejected } from '../../src/context/rejected.js';
import { define, Lifecycle } from '../../src/index.js';
import { unhandledDuring } from './unhandled-rejections.js';

const one = define.task({ name: 'one', version: '1.0.0', cache: false }, () => 1);

let later: (() => void) | undefined;
const callsLater = define.workflow({ name: 'calls-later' }, () => {
  const called = new Promise<void>((resolve) => (later = resolve)).then(() => void one());
  return void called;
});
const taskThatCalls = define.task({ name: 'task-that-calls', version: '1.0.0' }, () => void one());
const callsUnknownId = define.workflow({ name: 'calls-unknown-id' }, () => {
  void lifecycle.call('tname:nowhere:1.0.0');
  void lifecycle.call('no id');
});
const callsTheUncarriable = define.workflow({ name: 'calls-the-uncarriable' }, () => {
  void (one as (value: unknown) => Promise<number>)(() => 1);
});

let lifecycle: Lifecycle;
beforeEach(async () => {
  lifecycle = await Lifecycle.init({ project: 'test' });
});
afterEach(() => lifecycle.shutdown());

describe('a refused call', () => {
  it('rejects with its error, inside a run or not', async () => {
    const error = new Error('refused');
    await expect(rejected(error, true)).rejects.toBe(error);
    await expect(rejected(error, false)).rejects.toBe(error);
  });

  it('is as loud as any rejection that nobody handles when it was made outside a run', async () => {
    const error = new Error('refused');
    expect(await unhandledDuring(async () => void rejected(error, false))).toEqual([error]);
  });

  it.each([
    ['by a body that is over', () => callsLater().then(() => later?.())],
    ['by a task', taskThatCalls],
    ['by an id that is unknown or none', callsUnknownId],
    ['with an argument that cannot be carried', callsTheUncarriable],
  ])('does not end the process when it was made inside a run: %s', async (_, work) => {
    expect(await unhandledDuring(work)).toEqual([]);
  });
});
