import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { EncodedCall } from '../../src/model/call.js';
import { read } from '../protocol/connected.js';
import { LargeBody } from '../support/large-body.js';
import { PipedCluster, type Dispatched, type Requester } from '../support/piped-cluster.js';
import { MiB } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

const args = { head: new Uint8Array([1]), buffers: [] };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let requester: Requester;

beforeEach(async () => {
  cluster = await PipedCluster.start(3);
  worker = await cluster.worker('worker');
  requester = await cluster.requester(undefined, 2);
});
afterEach(() => cluster.close());

async function dispatch(runId: string, extra: Partial<EncodedCall> = {}): Promise<Dispatched> {
  const dispatched = requester.dispatch(runId, args, extra);
  await cluster.turns.settle();
  return dispatched;
}

describe('requests of one parent', () => {
  it('are kept by the requester while as many as may be are unanswered, and go on when those are answered', async () => {
    const outcomes = await Promise.all(['run-1', 'run-2', 'run-3'].map((runId) => dispatch(runId)));
    await worker.complete(worker.lastRequest);
    // Only now there was room for the third.
    expect(cluster.service.runsInHand).toBe(2);
    for (const runId of ['run-2', 'run-3']) {
      expect(worker.lastRequest['runId']).toBe(runId);
      await worker.complete(worker.lastRequest);
    }
    for (const { outcome } of outcomes) expect(await outcome).toMatchObject({ status: 'DONE' });
  });

  it('do not keep those of another parent or priority back', async () => {
    for (const runId of ['run-1', 'run-2', 'run-3']) await dispatch(runId);
    expect(cluster.service.runsInHand).toBe(2);
    await dispatch('child', { parentRunId: 'run-1', rootRunId: 'run-1', depth: 1 });
    await dispatch('urgent', { priority: 1 });
    expect(cluster.service.runsInHand).toBe(4);
  });

  it('are over at once when they are cancelled while they are kept, and the service never hears of them', async () => {
    await dispatch('run-1');
    await dispatch('run-2');
    const kept = await dispatch('run-3');
    kept.cancellation.cancel(new Error('enough'));
    expect(await kept.outcome).toMatchObject({ status: 'CANCELLED' });
    await worker.complete(worker.lastRequest);
    await worker.complete(worker.lastRequest);
    expect(worker.asked).toEqual(['run-1', 'run-2']);
  });

  it('wait for a worker no longer than they may, wherever they wait', async () => {
    await dispatch('run-1');
    await dispatch('run-2', { queueTimeoutMs: 2_000 });
    const kept = await dispatch('run-3', { queueTimeoutMs: 1_000 });
    const sent = await dispatch('run-4', { queueTimeoutMs: 3_000 });
    await cluster.turns.advance(1_000);
    expect(await kept.outcome).toMatchObject({ status: 'FAILED', error: { code: 'QUEUE_TIMEOUT' } });
    await cluster.turns.advance(1_000);
    expect(cluster.service.runsInHand).toBe(2);
    expect(sent.heard).toEqual([]);
    await cluster.turns.advance(1_000);
    expect(await sent.outcome).toMatchObject({ status: 'FAILED', error: { code: 'QUEUE_TIMEOUT' } });
  });

  it('that are kept are over when the connection is', async () => {
    const dispatched = await Promise.all(
      ['run-1', 'run-2', 'run-3', 'run-4'].map((runId) => dispatch(runId)),
    );
    await cluster.turns.until(requester.link.close());
    for (const { outcome } of dispatched)
      expect(await outcome).toMatchObject({ status: 'FAILED', error: { code: 'TRANSPORT_CLOSED' } });
  });
});

describe('the queue of the service', () => {
  it('refuses what is beyond it as QUEUE_FULL, and takes back what had a worker', async () => {
    const client = await cluster.client();
    const body = { sizes: [1], byteLength: 1, parts: [new Uint8Array(1)], chunks: () => never() };
    for (const runId of ['a', 'b', 'c', 'd', 'e']) await client.request(runId, body);
    expect(client.all('v1.routine.failed')).toMatchObject([
      { runId: 'e', error: { code: 'QUEUE_FULL', message: expect.stringContaining('3 runs wait already') } },
    ]);
    await worker.close();
    expect(cluster.service.runsInHand).toBe(4);
    expect(client.all('v1.routine.failed')).toHaveLength(1);
    const other = await cluster.worker('other', { slots: 4 });
    expect(other.asked).toEqual(['a', 'b', 'c', 'd']);
  });

  it('takes back what was asked for before, however full it is', async () => {
    const client = await cluster.client();
    const body = { sizes: [1], byteLength: 1, parts: [new Uint8Array(1)], chunks: () => never() };
    for (const runId of ['a', 'b', 'c', 'd']) await client.request(runId, body);
    await client.resume('e');
    await cluster.pass(LIMITS.leaseMs);
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'e' });
    await client.request('e', body);
    expect(client.all('v1.routine.failed')).toEqual([]);
    expect(cluster.service.runsInHand).toBe(5);
  });

  it('takes what followed an equal call that gave it nothing, however full it is', async () => {
    const [one, two] = [await cluster.client('one'), await cluster.client('two')];
    const body = { sizes: [1], byteLength: 1, parts: [new Uint8Array(1)], chunks: () => never() };
    const same = { argumentsDigest: 'a'.repeat(64) };
    await one.request('a', body, same);
    await two.request('b', body, same);
    for (const runId of ['c', 'd', 'e']) await one.request(runId, body);
    // Only one can read it.
    await worker.complete(worker.lastRequest, new LargeBody(4 * MiB));
    await one.request('f', body);
    expect(one.all('v1.routine.failed')).toEqual([]);
    await cluster.turns.until(read(one.bodyOfLast('v1.routine.completed')));
    await cluster.turns.settle();
    expect(two.all('v1.routine.failed')).toEqual([]);
    expect(cluster.service.counts).toMatchObject({ runs: 5, waiting: 4 });
  });
});

function never(): never {
  throw new Error('A body in memory is not read in chunks');
}
