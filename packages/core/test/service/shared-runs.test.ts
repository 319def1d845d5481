import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { read } from '../protocol/connected.js';
import { LargeBody } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB, small } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

const remembered = { argumentsDigest: 'a'.repeat(64) };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let clients: ScriptedPeer[];

beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker', { slots: 8 });
  clients = await Promise.all(['one', 'two', 'three'].map((name) => cluster.client(name)));
  await cluster.turns.settle();
});
afterEach(() => cluster.close());

/** Has each client ask for the same, as a run of its own. */
async function askAll(extra: object = remembered, body = () => small): Promise<void> {
  for (const [index, client] of clients.entries()) await client.request(`run-${index}`, body(), { ...extra });
}
const requests = (peer: ScriptedPeer = worker): unknown[] =>
  peer.heard.filter(({ type }) => type === 'v1.routine.request_start').map(({ runId }) => runId);
const endsOf = (client: ScriptedPeer | undefined): unknown[] =>
  (client?.heard ?? []).filter(({ type }) => type === 'v1.routine.completed' || type === 'v1.routine.failed');
const cancelBy = (client: ScriptedPeer | undefined, runId: string): Promise<void> | undefined =>
  client?.cancel(runId, { name: 'Error', message: 'enough', stack: '', code: 'RUN_CANCELLED' });

describe('equal calls of several nodes', () => {
  it('are one run, and each gets its value under its own run', async () => {
    await askAll();
    expect(requests()).toEqual(['run-0']);
    await worker.tell('v1.routine.starting', worker.lastRequest, { worker: 'worker' });
    await worker.complete(worker.lastRequest);
    for (const [index, client] of clients.entries()) {
      expect(client.heard.slice(1)).toMatchObject([
        { type: 'v1.routine.starting', runId: `run-${index}` },
        { type: 'v1.routine.completed', runId: `run-${index}` },
      ]);
      const value = await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
      expect([...value]).toEqual([9]);
    }
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('are runs of their own where they require other workers', async () => {
    const gpu = await cluster.worker('gpu', { labels: { gpu: 'yes', zone: 'eu' } });
    await clients[0]?.request('run-0', small, { ...remembered });
    await clients[1]?.request('run-1', small, { ...remembered, labels: { gpu: 'yes', zone: 'eu' } });
    await clients[2]?.request('run-2', small, { ...remembered, labels: { zone: 'eu', gpu: 'yes' } });
    expect([requests(), requests(gpu)]).toEqual([['run-0'], ['run-1']]);
    await gpu.complete(gpu.lastRequest);
    expect(endsOf(clients[2])).toMatchObject([{ runId: 'run-2' }]);
  });

  it('fail together when the routine fails', async () => {
    await askAll();
    const error = { name: 'RangeError', message: 'no', stack: '', code: 'NO' };
    await worker.tell('v1.routine.failed', worker.lastRequest, { cancelled: false, again: 'no', error });
    for (const [index, client] of clients.entries())
      expect(endsOf(client)).toMatchObject([
        { runId: `run-${index}`, cancelled: false, error: { code: 'NO' } },
      ]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('go on when the one that leads is cancelled: the next one leads, and what is under way is its own', async () => {
    await askAll();
    await cancelBy(clients[0], 'run-0');
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    await worker.tell('v1.routine.progress', worker.lastRequest, { done: 1 });
    await worker.complete(worker.lastRequest);
    expect(requests()).toEqual(['run-0']);
    expect(clients.map((client) => client.heard.slice(1))).toMatchObject([
      [{ type: 'v1.routine.failed', runId: 'run-0', cancelled: true }],
      [
        { type: 'v1.routine.progress', runId: 'run-1' },
        { type: 'v1.routine.completed', runId: 'run-1' },
      ],
      [
        { type: 'v1.routine.progress', runId: 'run-2' },
        { type: 'v1.routine.completed', runId: 'run-2' },
      ],
    ]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('are cancelled at their worker, under the name it knows, when the last of them is', async () => {
    await askAll();
    for (const [index, client] of clients.entries()) await cancelBy(client, `run-${index}`);
    const { lease } = worker.lastRequest;
    expect(worker.all('v1.routine.cancel')).toMatchObject([{ runId: 'run-0', lease }]);
    const error = { name: 'Error', message: 'enough', stack: '', code: 'RUN_CANCELLED' };
    await worker.tell('v1.routine.failed', worker.lastRequest, { cancelled: true, again: 'no', error });
    expect(endsOf(clients[2])).toMatchObject([{ runId: 'run-2', cancelled: true }]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('keep their outcome at the worker until each of them has it', async () => {
    await askAll();
    await worker.complete(worker.lastRequest);
    for (const [index, client] of clients.entries()) {
      expect(worker.acknowledged).toEqual([]);
      await client.acknowledge(`run-${index}`);
    }
    expect(worker.acknowledged).toEqual(['run-0']);
  });

  it('go on when the node of the one that leads is gone', async () => {
    await askAll();
    await clients[0]?.close();
    await worker.complete(worker.lastRequest);
    expect(requests()).toEqual(['run-0']);
    expect(endsOf(clients[2])).toMatchObject([{ type: 'v1.routine.completed', runId: 'run-2' }]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('lose one that follows without a word to the others', async () => {
    await askAll();
    await cancelBy(clients[1], 'run-1');
    expect(endsOf(clients[1])).toMatchObject([{ type: 'v1.routine.failed', cancelled: true }]);
    await worker.complete(worker.lastRequest);
    expect(endsOf(clients[2])).toMatchObject([{ type: 'v1.routine.completed' }]);
    expect(endsOf(clients[1])).toHaveLength(1);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('are done one after the other when the result streams, which only one can read', async () => {
    await askAll();
    await worker.complete(worker.lastRequest, new LargeBody(4 * MiB));
    const value = await cluster.turns.until(read(clients[0]?.bodyOfLast('v1.routine.completed')));
    expect(value.byteLength).toBe(4 * MiB);
    await cluster.turns.settle();
    expect(requests()).toEqual(['run-0', 'run-1']);
    await worker.complete(worker.lastRequest);
    expect(endsOf(clients[2])).toMatchObject([{ type: 'v1.routine.completed', runId: 'run-2' }]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('have large arguments of those that follow sent only when they are needed', async () => {
    await askAll(remembered, () => new LargeBody(4 * MiB));
    await cancelBy(clients[0], 'run-0');
    const error = { name: 'Error', message: 'no thread', stack: '', code: 'THREAD_LOST' };
    await worker.tell('v1.routine.failed', worker.lastRequest, { cancelled: false, again: 'lost', error });
    expect(clients[1]?.heard.at(-1)).toMatchObject({ type: 'v1.routine.resend', runId: 'run-1' });
    await clients[1]?.request('run-1', small, remembered);
    expect(requests()).toEqual(['run-0', 'run-1']);
  });

  it.each<[string, object]>([
    ['are not remembered', {}],
    ['are to be computed anew', { ...remembered, remember: { refresh: true } }],
    ['wait for a worker only so long', { ...remembered, queueTimeoutMs: 5_000 }],
  ])('are runs of their own when they %s', async (_, extra) => {
    await askAll(extra);
    expect(requests()).toEqual(['run-0', 'run-1', 'run-2']);
  });

  it('are runs of their own when one wants the value and another a reference', async () => {
    await clients[0]?.request('value', small, remembered);
    await clients[1]?.request('reference', small, { ...remembered, answer: 'reference' });
    expect(requests()).toEqual(['value', 'reference']);
  });

  it('are new runs once the first is over', async () => {
    await clients[0]?.request('first', small, remembered);
    await worker.complete(worker.lastRequest);
    await clients[1]?.request('second', small, remembered);
    expect(requests()).toEqual(['first', 'second']);
  });
});
