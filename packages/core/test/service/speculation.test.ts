import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { inMemory, read } from '../protocol/connected.js';
import { LargeBody } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB, small } from '../support/relayed.js';
import { holdOf, type ScriptedPeer } from '../support/scripted-peer.js';

const AFTER_MS = 3_000;
const speculative = { speculateAfterMs: AFTER_MS };
const error = { name: 'RangeError', message: 'no', stack: '', code: 'NO' };

let cluster: PipedCluster;
let slow: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  slow = await cluster.worker('slow');
  client = await cluster.client();
  await cluster.turns.settle();
});
afterEach(() => cluster.close());

/** A run that computes on the slow worker for as long as it may before it is given to another. */
async function straggle(extra: object = speculative): Promise<void> {
  await client.request('run-1', small, { ...extra });
  await starts(slow, 'slow');
  await cluster.pass(AFTER_MS);
}
const starts = (peer: ScriptedPeer, worker: string): Promise<void> =>
  peer.tell('v1.routine.starting', peer.lastRequest, { worker });
const fails = (peer: ScriptedPeer, extra: object = {}): Promise<void> =>
  peer.tell('v1.routine.failed', peer.lastRequest, { cancelled: false, again: 'no', error, ...extra });
/** What the requester heard of its run, pulses left out. */
const told = (): unknown[] =>
  client.heard.filter(({ type }) => type.startsWith('v1.routine')).map(({ type }) => type);
const cancelsOf = (peer: ScriptedPeer): unknown[] => peer.all('v1.routine.cancel').map(({ lease }) => lease);
const nothingIsLeft = (): void => {
  expect(cluster.service.counts).toMatchObject({ runs: 0, waiting: 0, placed: 0 });
};

describe('a task that takes longer than its speculateAfterMs', () => {
  it('is given to another worker as well, under a lease and an attempt of its own', async () => {
    const other = await cluster.worker('other');
    await straggle();
    expect(other.asked).toEqual(['run-1']);
    expect(other.lastRequest['attempt']).toBe(2);
    expect(other.lastRequest['lease']).toBeGreaterThan(slow.lastRequest['lease'] as number);
    expect(told()).toEqual(['v1.routine.starting']);
    expect(cluster.service.counts).toMatchObject({ runs: 1, waiting: 0, placed: 2 });
  });

  it('ends with the second when that is the first to end, and the first is cancelled', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await starts(other, 'other');
    await other.tell('v1.routine.progress', other.lastRequest, { done: 1 });
    await other.complete(other.lastRequest, inMemory(new Uint8Array([7])));
    // What the requester hears of is one execution at a time.
    expect(told()).toEqual(['v1.routine.starting', 'v1.routine.starting', 'v1.routine.completed']);
    expect(client.last('v1.routine.starting')).toMatchObject({ attempt: 2, worker: 'other' });
    expect(client.last('v1.routine.completed')['attempt']).toBe(2);
    expect([...(await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed'))))]).toEqual([7]);
    expect(cancelsOf(slow)).toEqual([slow.lastRequest['lease']]);
    nothingIsLeft();
    await slow.complete(slow.lastRequest);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
    expect(slow.acknowledged).toEqual(['run-1']);
  });

  it('ends with the first when that is the first to end, and the second is cancelled', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await slow.complete(slow.lastRequest);
    expect(told()).toEqual(['v1.routine.starting', 'v1.routine.completed']);
    expect(cancelsOf(other)).toEqual([other.lastRequest['lease']]);
    nothingIsLeft();
    await fails(other, { cancelled: true });
    expect(told()).toHaveLength(2);
    expect(other.acknowledged).toEqual(['run-1']);
  });

  it('is looked after again while no other worker has a slot free, and never waits in the queue', async () => {
    await straggle();
    expect(cluster.service.counts).toMatchObject({ waiting: 0, placed: 1 });
    const other = await cluster.worker('other');
    expect(other.asked).toEqual([]);
    await cluster.pass(AFTER_MS);
    expect(other.asked).toEqual(['run-1']);
  });

  it('is not given to a free slot of the same worker', async () => {
    await slow.close();
    const wide = await cluster.worker('wide', { slots: 4 });
    await client.request('run-1', small, { ...speculative });
    await starts(wide, 'wide');
    await cluster.pass(3 * AFTER_MS);
    expect(wide.asked).toEqual(['run-1']);
    const other = await cluster.worker('other');
    await cluster.pass(AFTER_MS);
    expect(other.asked).toEqual(['run-1']);
  });

  it('is executed twice at most', async () => {
    await cluster.worker('other');
    const third = await cluster.worker('third');
    await straggle();
    await cluster.pass(5 * AFTER_MS);
    expect(third.asked).toEqual([]);
    expect(cluster.service.counts.placed).toBe(2);
  });

  it('goes on with the first when the second fails', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await fails(other);
    expect(other.acknowledged).toEqual(['run-1']);
    expect(cluster.service.counts.placed).toBe(1);
    expect(told()).toEqual(['v1.routine.starting']);
    await slow.complete(slow.lastRequest);
    expect(told()).toEqual(['v1.routine.starting', 'v1.routine.completed']);
    nothingIsLeft();
  });

  it('goes on with the second when the worker of the first is lost', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await starts(other, 'other');
    await slow.close();
    expect(other.asked).toEqual(['run-1']);
    expect(client.last('v1.routine.starting')).toMatchObject({ attempt: 2, worker: 'other' });
    await other.complete(other.lastRequest);
    expect(told()).toEqual(['v1.routine.starting', 'v1.routine.starting', 'v1.routine.completed']);
    nothingIsLeft();
  });

  it('goes on with the first when the worker of the second is lost', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await other.close();
    expect(cluster.service.counts).toMatchObject({ waiting: 0, placed: 1 });
    await slow.complete(slow.lastRequest);
    nothingIsLeft();
  });

  it('goes on with the second when the first is given back', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await fails(slow, { again: 'lost' });
    expect([slow.asked, other.asked]).toEqual([['run-1'], ['run-1']]);
    await other.complete(other.lastRequest);
    expect(client.last('v1.routine.completed')['attempt']).toBe(2);
    nothingIsLeft();
  });

  it('fails when the first fails', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await fails(slow);
    expect(client.last('v1.routine.failed')).toMatchObject({ error: { code: 'NO' } });
    expect(cancelsOf(other)).toHaveLength(1);
    nothingIsLeft();
  });

  it('is cancelled on both workers', async () => {
    const other = await cluster.worker('other');
    await straggle();
    await client.cancel('run-1');
    expect([cancelsOf(slow).length, cancelsOf(other).length]).toEqual([1, 1]);
    await fails(slow, { cancelled: true });
    await fails(other, { cancelled: true });
    expect(client.all('v1.routine.failed')).toHaveLength(1);
    nothingIsLeft();
  });

  it('is found again on both workers when they come back', async () => {
    const other = await cluster.worker('other');
    await straggle();
    const [first, second] = [slow.lastRequest, other.lastRequest];
    await slow.cut();
    await other.cut();
    const back = await cluster.worker('slow', { resume: slow.session, holds: [holdOf(first, 'running')] });
    const otherBack = await cluster.worker('other', {
      ...{ resume: other.session, holds: [holdOf(second, 'running')] },
    });
    expect([back.asked, otherBack.asked]).toEqual([[], []]);
    await otherBack.complete(second);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
    expect(cancelsOf(back)).toEqual([first['lease']]);
    nothingIsLeft();
  });

  it('gives its value to equal calls as well', async () => {
    const other = await cluster.worker('other');
    const remembered = { ...speculative, argumentsDigest: 'a'.repeat(64) };
    await straggle(remembered);
    const second = await cluster.client('second');
    await second.request('run-2', small, remembered);
    await other.complete(other.lastRequest);
    expect(client.last('v1.routine.completed')['runId']).toBe('run-1');
    expect(second.last('v1.routine.completed')['runId']).toBe('run-2');
    nothingIsLeft();
  });
});

describe('not executed twice is', () => {
  it.each([
    ['a run that does not ask for it', 'tname:test:train:1.0.0', {}],
    ['a workflow, whose calls would be made twice', 'wfname:test:all', speculative],
  ])('%s', async (_, routineId, extra) => {
    await slow.close();
    const routines = ['tname:test:train:1.0.0', 'wfname:test:all'];
    const [one, two] = [await cluster.worker('one', { routines }), await cluster.worker('two', { routines })];
    await client.request('run-1', small, { routineId, ...extra });
    const holder = one.asked.length > 0 ? one : two;
    await starts(holder, 'one');
    await cluster.pass(3 * AFTER_MS);
    expect([...one.asked, ...two.asked]).toEqual(['run-1']);
  });

  it('a run whose body has not begun', async () => {
    const other = await cluster.worker('other');
    await client.request('run-1', small, { ...speculative });
    await cluster.pass(3 * AFTER_MS);
    expect(other.asked).toEqual([]);
  });

  it('a run whose arguments went to its worker as they came, and are kept nowhere', async () => {
    const other = await cluster.worker('other');
    const large = new LargeBody(8 * MiB);
    await client.request('run-1', large, { ...speculative });
    await cluster.turns.until(read(slow.bodyOfLast('v1.routine.request_start')));
    await starts(slow, 'slow');
    await cluster.pass(3 * AFTER_MS);
    expect(other.asked).toEqual([]);
  });

  it('a run that ended in time', async () => {
    const other = await cluster.worker('other');
    await client.request('run-1', small, { ...speculative });
    await starts(slow, 'slow');
    await slow.complete(slow.lastRequest);
    await cluster.pass(3 * AFTER_MS);
    expect(other.asked).toEqual([]);
  });
});
