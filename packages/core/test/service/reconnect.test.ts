import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { HeldRun } from '../../src/protocol/directives.js';
import { read } from '../protocol/connected.js';
import { LargeBody, largeBytes } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { bytesEqual, MiB, small } from '../support/relayed.js';
import { holdOf, type ScriptedPeer } from '../support/scripted-peer.js';

const LEASE = LIMITS.leaseMs + LIMITS.heartbeatMs;
const error = { name: 'Error', message: 'enough', code: 'RUN_CANCELLED' };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker');
  client = await cluster.client();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

/** The same worker over a new connection. */
const back = (before: ScriptedPeer, holds: readonly HeldRun[] = []): Promise<ScriptedPeer> =>
  cluster.worker('worker', { resume: before.session, holds });
const clientBack = (): Promise<ScriptedPeer> => cluster.client('client', client.session);

describe('a worker whose connection is lost', () => {
  it('goes on with its runs when it comes back before its lease ends', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    const other = await cluster.worker('other');
    await worker.cut();
    await cluster.pass(LIMITS.leaseMs - LIMITS.heartbeatMs);
    const again = await back(worker, [holdOf(request, 'running')]);
    expect(again.heard[0]).toMatchObject({ type: 'welcome', resumed: true });
    expect(again.session).not.toBe(worker.session);
    await cluster.pass(LEASE);
    await again.complete(request);
    expect(other.asked).toEqual([]);
    expect(client.all('v1.routine.waiting')).toEqual([]);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
  });

  it('gets no new runs until it has come back', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.complete(request);
    await client.request('run-2', small);
    await worker.cut();
    await client.request('run-3', small);
    const again = await back(worker, [holdOf(request, 'finished')]);
    expect(again.asked).toEqual(['run-2']);
    expect(client.last('v1.routine.waiting')).toMatchObject({ runId: 'run-2', attempt: 2 });
  });

  it('loses its runs when it does not come back, and what it holds later is stale', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    const other = await cluster.worker('other');
    await worker.cut();
    await cluster.pass(LEASE);
    expect(other.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
    const again = await back(worker, [holdOf(request, 'running')]);
    expect(again.heard[0]).toMatchObject({ resumed: false });
    const { runId, attempt, lease } = request;
    expect(again.last('v1.routine.cancel')).toMatchObject({ runId, attempt, lease });
    await again.complete(request);
    expect(again.acknowledged).toEqual(['run-1']);
    expect(client.all('v1.routine.completed')).toEqual([]);
    await other.complete(other.lastRequest);
    expect(client.all('v1.routine.completed')).toMatchObject([{ attempt: 2 }]);
  });

  it('is asked for an outcome that was lost on its way', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    const again = await back(worker, [holdOf(request, 'finished')]);
    expect(again.last('v1.routine.report_again')).toMatchObject({ runId: 'run-1', lease: request['lease'] });
    await client.request('run-2', small);
    expect(again.asked, 'what is over takes no slot').toEqual(['run-2']);
    await again.complete(request);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
  });

  it('sends a large result again from the start', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.complete(request, new LargeBody(8 * MiB));
    await worker.cut();
    cluster.transport.pipes[0]?.break(new Error('the cable is cut'));
    await cluster.turns.settle();
    const again = await back(worker, [holdOf(request, 'finished')]);
    await again.complete(request, new LargeBody(8 * MiB));
    const bytes = await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
    expect(bytesEqual(bytes, largeBytes(8 * MiB))).toBe(true);
    await client.acknowledge('run-1');
    expect(again.acknowledged).toEqual(['run-1']);
    expect(again.asked).toEqual([]);
  });

  it('hears of what was cancelled meanwhile', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    await client.cancel('run-1', error);
    expect(client.all('v1.routine.failed')).toEqual([]);
    const again = await back(worker, [holdOf(request, 'running')]);
    expect(again.last('v1.routine.cancel')).toMatchObject({ lease: request['lease'], error });
  });

  it('may forget what had ended as it was cancelled', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    await client.cancel('run-1', error);
    const again = await back(worker, [holdOf(request, 'finished')]);
    expect(again.acknowledged).toEqual(['run-1']);
    expect(client.last('v1.routine.failed')).toMatchObject({ cancelled: true, error });
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('takes a slot for what computes, and none for what hangs', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    const again = await back(worker, [holdOf(request, 'hanging')]);
    await client.request('run-2', small);
    expect(again.asked).toEqual(['run-2']);
    expect(client.last('v1.routine.starting')).toMatchObject({ runId: 'run-1', worker: 'worker' });
  });

  it('may forget an outcome of which the acknowledgement was lost', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.complete(request);
    const other = await cluster.worker('other');
    await worker.cut();
    await client.acknowledge('run-1');
    await client.request('run-2', small);
    expect(other.asked).toEqual(['run-2']);
    const again = await back(worker, [holdOf(request, 'finished')]);
    expect(again.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1', lease: request['lease'] }]);
  });

  it('is lost at once when it leaves', async () => {
    await client.request('run-1', small);
    const other = await cluster.worker('other');
    await worker.close();
    expect(other.asked).toEqual(['run-1']);
  });

  it('is known over its new connection though the old one still seems to be open', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    const again = await back(worker, [holdOf(request, 'running')]);
    await again.complete(request);
    expect(again.heard[0]).toMatchObject({ resumed: true });
    expect(worker.isClosed).toBe(true);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
  });

  it('is known also when the welcome that it got before was lost', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    const unheard = await cluster.client('worker', worker.session);
    await unheard.cut();
    const again = await back(worker, [holdOf(request, 'running')]);
    await again.complete(request);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
  });

  it('is another node to the service when it comes back with a session that it has gone on from', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    const again = await back(worker, [holdOf(request, 'running')]);
    await again.cut();
    const stranger = await back(worker);
    expect(stranger.heard[0]).toMatchObject({ resumed: false });
    expect((await back(again, [holdOf(request, 'running')])).heard[0]).toMatchObject({ resumed: true });
  });

  it('is another node to the service when it comes back under another name, or in another role', async () => {
    await client.request('run-1', small);
    await worker.cut();
    const thief = await cluster.worker('thief', { resume: worker.session });
    expect(thief.heard[0]).toMatchObject({ resumed: false });
    const spy = await cluster.client('worker', worker.session);
    expect(spy.heard[0]).toMatchObject({ resumed: false });
  });

  it('comes back when a directive of its was lost on the way, which closes its connection', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.say({ type: 'v1.worker.draining', sequence: 99 });
    expect(worker.isClosed).toBe(true);
    const again = await back(worker, [holdOf(request, 'running')]);
    expect(again.heard[0]).toMatchObject({ resumed: true });
    await again.complete(request);
    expect(client.all('v1.routine.completed')).toHaveLength(1);
  });
});

describe('a requester whose connection is lost', () => {
  it('keeps its runs, and is answered when it comes back', async () => {
    await client.request('run-1', small);
    await client.cut();
    await worker.complete(worker.lastRequest);
    expect(worker.acknowledged).toEqual([]);
    const again = await clientBack();
    expect(again.heard[0]).toMatchObject({ resumed: true });
    await again.resume('run-1');
    expect(worker.asked).toEqual(['run-1']);
    await worker.complete(worker.last('v1.routine.report_again'));
    await again.acknowledge('run-1');
    expect(again.last('v1.routine.completed')).toMatchObject({ attempt: 1 });
    expect(worker.acknowledged).toEqual(['run-1']);
  });

  it('hears that its run was cancelled by its id meanwhile, and the run does not come back', async () => {
    await client.request('run-1', small);
    await client.request('run-2', small);
    await client.cut();
    const other = await cluster.client('other');
    await other.say({ type: 'v1.service.ask', ask: '1', question: 'cancel', runId: 'run-2', error });
    expect(other.last('v1.service.answer')).toMatchObject({ ask: '1', cancelled: true });
    client = await clientBack();
    await client.resume('run-1');
    await client.resume('run-2');
    expect(client.all('v1.routine.failed')).toMatchObject([{ runId: 'run-2', cancelled: true }]);
    expect(cluster.service.runsInHand).toBe(1);
    await client.acknowledge('run-2', 1);
    await worker.complete(worker.lastRequest);
    await client.acknowledge('run-1');
    expect(cluster.service.counts).toMatchObject({ runs: 0, unacknowledged: 0 });
  });

  it('whose arguments come when its run was just cancelled by its id has it not run', async () => {
    await cluster.pass(LEASE);
    await client.resume('run-1');
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1' });
    const other = await cluster.client('other');
    await other.say({ type: 'v1.service.ask', ask: '1', question: 'cancel', runId: 'run-1', error });
    await client.request('run-1', small);
    expect(worker.asked).toEqual([]);
    expect(client.all('v1.routine.failed')).toMatchObject([{ runId: 'run-1', cancelled: true }]);
    await client.acknowledge('run-1', 1);
    expect(cluster.service.counts).toMatchObject({ runs: 0, unacknowledged: 0 });
  });

  it('has its run placed anew when it was taken for gone, whatever its worker made of that', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await worker.cut();
    await client.close();
    client = await cluster.client();
    await client.resume('run-1');
    worker = await back(worker, [holdOf(request, 'finished')]);
    expect(worker.last('v1.routine.report_again')).toMatchObject({ runId: 'run-1' });
    const gone = { name: 'RoutineEngineError', message: 'client is gone', code: 'WORKER_LOST' };
    await worker.tell('v1.routine.failed', request, { again: 'no', cancelled: true, error: gone });
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(client.all('v1.routine.failed')).toEqual([]);
    await client.request('run-1', small);
    expect(worker.asked).toEqual(['run-1']);
    await worker.complete(worker.lastRequest);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('hears how far its run is', async () => {
    await client.request('run-1', small);
    await client.cut();
    await worker.tell('v1.routine.starting', worker.lastRequest, { worker: 'worker' });
    const again = await clientBack();
    await again.resume('run-1');
    expect(again.last('v1.routine.starting')).toMatchObject({ runId: 'run-1', attempt: 1, worker: 'worker' });
  });

  it('is asked for arguments again that it had not heard it was asked for', async () => {
    const lost = await cluster.worker('lost', { routines: ['tname:test:other:1.0.0'] });
    await client.request('run-1', new LargeBody(MiB), { routineId: 'tname:test:other:1.0.0' });
    await client.cut();
    await lost.tell('v1.routine.failed', lost.lastRequest, { cancelled: false, again: 'lost', error });
    const again = await clientBack();
    await again.resume('run-1');
    expect(again.last('v1.routine.resend')).toMatchObject({ runId: 'run-1' });
    await again.request('run-1', small);
    expect(lost.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('has its runs cancelled when it does not come back', async () => {
    await client.request('run-1', small);
    await client.cut();
    await cluster.pass(LIMITS.leaseMs - LIMITS.heartbeatMs);
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    await cluster.pass(2 * LIMITS.heartbeatMs);
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1' }]);
    const again = await clientBack();
    expect(again.heard[0]).toMatchObject({ resumed: false });
  });

  it('has them placed anew when it comes back too late', async () => {
    await client.request('run-1', small);
    const request = worker.lastRequest;
    await client.cut();
    await cluster.pass(LIMITS.leaseMs + LIMITS.heartbeatMs);
    const again = await clientBack();
    await again.resume('run-1');
    await again.request('run-1', small);
    expect(worker.lastRequest['lease']).not.toBe(request['lease']);
    await worker.tell('v1.routine.failed', request, { cancelled: true, again: 'no', error });
    expect(again.all('v1.routine.failed')).toEqual([]);
    await worker.complete(worker.lastRequest);
    expect(again.all('v1.routine.completed')).toHaveLength(1);
  });

  it('is not kept when nothing of it would be missed', async () => {
    await client.cut();
    expect((await clientBack()).heard[0]).toMatchObject({ resumed: false });
  });

  it('has what it does not ask for again cancelled: it may have said so unheard', async () => {
    for (const runId of ['run-1', 'run-2']) await client.request(runId, small);
    await client.cut();
    const again = await clientBack();
    await again.resume('run-2');
    await again.request('run-3', small);
    await again.say({ type: 'v1.node.resynced' });
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1' }]);
    await worker.tell('v1.routine.failed', worker.lastRequest, { cancelled: true, again: 'no', error });
    expect(worker.asked).toEqual(['run-1', 'run-2']);
    await worker.complete(worker.lastRequest);
    expect(worker.asked).toEqual(['run-1', 'run-2', 'run-3']);
  });

  it('may acknowledge an outcome that it asks for again, since both were under way', async () => {
    await client.request('run-1', small);
    await worker.complete(worker.lastRequest);
    await client.cut();
    const again = await clientBack();
    await again.resume('run-1');
    await again.acknowledge('run-1');
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(cluster.service.runsInHand).toBe(0);
    expect(cluster.service.counts.unacknowledged).toBe(0);
  });

  it('has all outcomes that it does not ask for again: its acknowledgement may have been lost', async () => {
    for (const runId of ['run-1', 'run-2']) {
      await client.request(runId, small);
      await worker.complete(worker.lastRequest);
    }
    await client.request('run-3', small);
    await client.cut();
    const again = await clientBack();
    await again.resume('run-2');
    await again.resume('run-3');
    await worker.complete(worker.lastRequest);
    await again.say({ type: 'v1.node.resynced' });
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(worker.all('v1.routine.report_again')).toMatchObject([{ runId: 'run-2' }]);
    expect(again.last('v1.routine.completed')).toMatchObject({ runId: 'run-3' });
  });
});

describe('a client that gives no pulse', () => {
  it('may be busy for a while, and is given up after', async () => {
    await client.request('run-1', small);
    client.isSilent = true;
    await cluster.pass(LIMITS.clientLeaseMs - LIMITS.heartbeatMs);
    expect(client.isClosed).toBe(false);
    await cluster.pass(2 * LIMITS.heartbeatMs);
    expect(client.isClosed).toBe(true);
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-1' }]);
  });
});

describe('a run', () => {
  it('whose requester is asked for its arguments again and never sends them fails', async () => {
    await client.request('run-1', new LargeBody(MiB));
    await worker.tell('v1.routine.failed', worker.lastRequest, { cancelled: false, again: 'lost', error });
    expect(client.all('v1.routine.resend')).toHaveLength(1);
    await cluster.pass(LIMITS.resendMs - 1);
    expect(client.all('v1.routine.failed')).toEqual([]);
    await cluster.pass(1);
    expect(client.last('v1.routine.failed')).toMatchObject({ error: { code: 'ARGUMENTS_MISSING' } });
    expect(cluster.service.runsInHand).toBe(0);
  });

  it(`that a worker gives back more than ${LIMITS.maxLosses} times fails`, async () => {
    await client.request('run-1', small);
    const lost = { cancelled: false, again: 'lost', error };
    for (let times = 0; times < LIMITS.maxLosses; times += 1)
      await worker.tell('v1.routine.failed', worker.lastRequest, lost);
    expect(client.all('v1.routine.failed')).toEqual([]);
    await worker.tell('v1.routine.failed', worker.lastRequest, lost);
    expect(client.last('v1.routine.failed')).toMatchObject({ error: { code: 'WORKER_LOST' } });
    expect(cluster.service.runsInHand).toBe(0);
  });
});
