import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { HeldRun } from '../../src/protocol/directives.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { small, valueOf } from '../support/relayed.js';
import { holdOf, type ScriptedPeer } from '../support/scripted-peer.js';

const args = { head: new Uint8Array([1]), buffers: [] };
const remembered = { argumentsDigest: 'a'.repeat(64) };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  await cluster.pass(5_000);
  worker = await cluster.worker('worker');
  client = await cluster.client();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

async function restart(): Promise<void> {
  await cluster.crash();
  await cluster.restart();
}

/** The worker, as it comes back. */
const back = (holds: readonly HeldRun[] = [], slots = 1): Promise<ScriptedPeer> =>
  cluster.worker('worker', { resume: worker.session, holds, slots });
const clientBack = (): Promise<ScriptedPeer> => cluster.client('client', client.session);

describe('when the service is started anew', () => {
  it('a run that is under way goes on, whoever comes back first: the worker', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await restart();
    worker = await back([holdOf(request, 'running')]);
    expect(worker.heard[0]).toMatchObject({ resumed: false });
    client = await clientBack();
    await client.resume('run-1');
    expect(client.all('v1.routine.resend')).toEqual([]);
    await worker.complete(request);
    await client.acknowledge('run-1');
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(worker.asked).toEqual([]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('a run that is under way goes on, whoever comes back first: the requester', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    const other = await cluster.worker('other');
    await restart();
    client = await clientBack();
    await client.resume('run-1', { startedOn: 'worker' });
    await cluster.worker('other', { resume: other.session });
    worker = await back([holdOf(request, 'running')]);
    expect(client.heard.map(({ type }) => type)).toEqual(['welcome', 'v1.routine.starting']);
    await worker.complete(request);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
  });

  it('a run that is over is not executed again: its worker reports again', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.complete(request);
    await restart();
    client = await clientBack();
    await client.resume('run-1');
    worker = await back([holdOf(request, 'finished')]);
    await client.request('run-2', small);
    expect(worker.asked, 'what is over takes no slot').toEqual(['run-2']);
    await worker.complete(worker.last('v1.routine.report_again'));
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
  });

  it('a run that ends before its requester is back is kept for it', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await restart();
    worker = await back([holdOf(request, 'running')]);
    await worker.complete(request);
    expect(worker.acknowledged).toEqual([]);
    client = await clientBack();
    await client.resume('run-1');
    await worker.complete(worker.last('v1.routine.report_again'));
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
  });

  it('a run that waited is placed when it is requested again, with arguments that are asked for', async () => {
    await client.request('run-1', small);
    await client.request('run-2', small);
    await worker.complete(worker.lastRequest);
    await restart();
    client = await clientBack();
    await client.resume('run-9');
    worker = await back();
    expect(client.all('v1.routine.resend')).toEqual([]);
    await cluster.pass(LIMITS.leaseMs);
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-9' });
    await client.request('run-9', small);
    expect(worker.asked).toEqual(['run-9']);
  });

  it('a run is placed at once when the worker that began it comes back without it', async () => {
    await client.request('run-1', small);
    await restart();
    client = await clientBack();
    await client.resume('run-1', { startedOn: 'worker' });
    worker = await back();
    await client.request('run-1', small);
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('a run is placed at once when the worker that began it came back without it before', async () => {
    await client.request('run-1', small);
    await restart();
    worker = await back();
    client = await clientBack();
    await client.resume('run-1', { startedOn: 'worker' });
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1' });
  });

  it('a run that was asked for by an id with parts left out finds its worker, and the next if that is lost', async () => {
    await client.request('run-1', small, { routineId: 'tname:train' });
    const request = worker.lastRequest;
    await restart();
    client = await clientBack();
    await client.resume('run-1', { routineId: 'tname:train' });
    await client.resume('run-2', { routineId: 'tname:train' });
    worker = await back([holdOf(request, 'running')]);
    await cluster.pass(LIMITS.leaseMs);
    await client.request('run-2', small, { routineId: 'tname:train' });
    await worker.close();
    await client.request('run-1', small, { routineId: 'tname:train' });
    const other = await cluster.worker('other', { slots: 2 });
    const routineId = 'tname:test:train:1.0.0';
    const asked = other.all('v1.routine.request_start');
    expect(asked.toSorted((a, b) => Number(a['attempt']) - Number(b['attempt']))).toMatchObject([
      { runId: 'run-2', routineId, attempt: 1 },
      { runId: 'run-1', routineId, attempt: 2 },
    ]);
    expect(client.all('v1.routine.failed')).toEqual([]);
  });

  it('a run that was asked for by an id that nobody comes back with fails', async () => {
    await restart();
    client = await clientBack();
    await client.resume('run-1', { routineId: 'tname:nothing' });
    await cluster.pass(LIMITS.leaseMs);
    expect(client.last('v1.routine.failed')).toMatchObject({ error: { code: 'ROUTINE_UNKNOWN' } });
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('a run whose id has come to stand for several routines fails, and its worker ends it and goes on', async () => {
    const routineId = 'tname:app:twice';
    await restart();
    client = await clientBack();
    await client.resume('run-1', { routineId });
    const routines = ['tname:app:twice:1.0.0', 'tname:app:twice:2.0.0'];
    const holds: HeldRun[] = [{ runId: 'run-1', attempt: 1, lease: 7, state: 'running' }];
    worker = await cluster.worker('worker', { resume: worker.session, holds, routines });
    expect(client.all('v1.routine.failed')).toMatchObject([
      { runId: 'run-1', error: { code: 'ROUTINE_VERSION_UNKNOWN' } },
    ]);
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1', lease: 7 }]);
    expect(worker.isClosed).toBe(false);
    expect(cluster.service.runsInHand).toBe(0);
    await client.request('run-2', small, { routineId: routines[1] });
    expect(worker.asked).toEqual(['run-2']);
  });

  it('a run that nobody asked for before waits for nothing', async () => {
    await restart();
    worker = await back();
    client = await clientBack();
    await client.request('run-2', small);
    expect(worker.asked).toEqual(['run-2']);
  });

  it('a run is waited for only as long as workers may take to come back', async () => {
    await restart();
    await cluster.pass(LIMITS.leaseMs);
    client = await clientBack();
    await client.resume('run-1');
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1' });
  });

  it('a run that was placed elsewhere is given up by a worker that comes back late', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await restart();
    client = await clientBack();
    const other = await cluster.worker('other');
    await client.resume('run-1');
    await cluster.pass(LIMITS.leaseMs);
    await client.request('run-1', small);
    expect(other.asked).toEqual(['run-1']);
    worker = await back([holdOf(request, 'running')]);
    expect(worker.last('v1.routine.cancel')).toMatchObject({ runId: 'run-1', lease: request['lease'] });
    await worker.complete(request);
    expect(client.all('v1.routine.completed')).toEqual([]);
  });

  it('a run whose requester does not come back is given up in the end', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await restart();
    worker = await back([holdOf(request, 'running')]);
    await cluster.pass(LIMITS.clientLeaseMs - 1_000);
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    await cluster.pass(1_000);
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1', lease: request['lease'] }]);
  });

  it('of several executions of one run the latest goes on', async () => {
    await client.request('run-1', small);
    const early = worker.lastRequest;
    await restart();
    const late = { ...early, attempt: 2, lease: Number(early['lease']) + 1 };
    const other = await cluster.worker('other', { holds: [holdOf(late, 'running')] });
    worker = await back([holdOf(early, 'running')]);
    client = await clientBack();
    await client.resume('run-1');
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ lease: early['lease'] }]);
    expect(other.all('v1.routine.cancel')).toEqual([]);
    await other.complete(late);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('an attempt is given up that its requester has had the outcome of', async () => {
    await client.request('run-1', small);
    const first = worker.lastRequest;
    await restart();
    worker = await back([holdOf(first, 'finished')]);
    client = await clientBack();
    await client.request('run-1', small, { attempt: 2 });
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
    await cluster.pass(LIMITS.clientLeaseMs);
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ attempt: 1, lease: first['lease'] }]);
  });

  it('a run that hangs takes no slot', async () => {
    await client.request('parent', small);
    const request = worker.lastRequest;
    await restart();
    worker = await back([holdOf(request, 'hanging')]);
    client = await clientBack();
    await client.resume('parent');
    await client.request('child', small);
    expect(worker.asked).toEqual(['child']);
  });

  it('equal calls are one run again, which all of them get', async () => {
    const other = await cluster.client('other');
    await client.request('run-1', small, remembered);
    await other.request('run-2', small, remembered);
    const request = worker.lastRequest;
    await restart();
    const otherBack = await cluster.client('other', other.session);
    await otherBack.resume('run-2', remembered);
    client = await clientBack();
    await client.resume('run-1', remembered);
    worker = await back([holdOf(request, 'running')]);
    expect(worker.asked).toEqual([]);
    await worker.complete(request);
    expect(otherBack.last('v1.routine.completed')).toMatchObject({ runId: 'run-2' });
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1' });
  });

  it('its leases are higher than any that a worker holds, though its clock went back', async () => {
    await client.request('run-1', small);
    const lease = Number(worker.lastRequest['lease']) + 1e12;
    await restart();
    worker = await back([{ runId: 'run-1', attempt: 1, lease, state: 'running' }], 2);
    client = await clientBack();
    await client.request('run-2', small);
    expect(Number(worker.lastRequest['lease'])).toBeGreaterThan(lease);
  });

  it('a lease that was given out twice, since its clock went back, is that of the later run', async () => {
    await restart();
    worker = await back([], 1);
    client = await clientBack();
    await client.request('run-2', small);
    const request = worker.lastRequest;
    const lease = Number(request['lease']);
    await client.resume('run-1');
    const other = await cluster.worker('other', {
      holds: [{ runId: 'run-1', attempt: 1, lease, state: 'running' }],
    });
    expect(other.last('v1.routine.cancel')).toMatchObject({ runId: 'run-1' });
    await worker.complete(request);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-2' });
  });

  it('its leases do not follow one that is out of all proportion', async () => {
    await restart();
    worker = await back(
      [{ runId: 'run-1', attempt: 1, lease: Number.MAX_SAFE_INTEGER, state: 'running' }],
      2,
    );
    client = await clientBack();
    await client.request('run-2', small);
    expect(Number(worker.lastRequest['lease'])).toBeLessThan(1e12);
  });
});

describe('a requester that calls routines while the service is started anew', () => {
  it('gets every outcome, and what was over or under way is executed once', async () => {
    const requester = await cluster.requester();
    worker = await cluster.worker('busy', { slots: 2 });
    const [first, second, third] = ['run-1', 'run-2', 'run-3'].map((runId) =>
      requester.dispatch(runId, args),
    );
    await cluster.turns.settle();
    const asked = worker.all('v1.routine.request_start');
    await cluster.crash();
    const fourth = requester.dispatch('run-4', args);
    await cluster.restart();
    const holds = asked.map((request, index) => holdOf(request, index === 0 ? 'finished' : 'running'));
    const again = await cluster.worker('busy', { slots: 4, holds, resume: worker.session });
    await cluster.pass(2 * LIMITS.leaseMs);
    for (const request of asked) await again.complete(request);
    for (const request of again.all('v1.routine.request_start')) await again.complete(request);
    const outcomes = [first, second, third, fourth].map((dispatched) => dispatched?.outcome);
    for (const outcome of outcomes)
      expect(valueOf((await cluster.turns.until(Promise.resolve(outcome))) as never)).toEqual(
        new Uint8Array([9]),
      );
    const executed = [...worker.asked, ...again.asked];
    expect(new Set(executed).size).toBe(executed.length);
    await cluster.turns.settle();
    expect(cluster.service.runsInHand).toBe(0);
  });
});
