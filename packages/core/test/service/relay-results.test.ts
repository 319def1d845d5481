import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Body } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import { lent, read, readerOf } from '../protocol/connected.js';
import { LargeBody, largeBytes } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { bytesEqual, IN_FLIGHT, MiB, readUpTo, small, valueOf } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

let cluster: PipedCluster;
beforeEach(async () => {
  cluster = await PipedCluster.start();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

describe('a large result', () => {
  let worker: ScriptedPeer;
  beforeEach(async () => {
    worker = await cluster.worker('worker');
  });

  it('of 64 MiB goes through the service as its requester reads it', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    const body = new LargeBody(64 * MiB);
    await worker.complete(worker.lastRequest, body);
    expect(body.given).toBeLessThanOrEqual(IN_FLIGHT);
    const reader = readerOf(client.bodyOfLast('v1.routine.completed'));
    let readBytes = 0;
    for (const goal of [MiB, 20 * MiB, 50 * MiB]) {
      readBytes += await readUpTo(cluster, reader, goal - readBytes);
      await cluster.turns.settle();
      expect(body.given - readBytes).toBeLessThanOrEqual(IN_FLIGHT);
    }
    readBytes += await readUpTo(cluster, reader, Number.POSITIVE_INFINITY);
    expect(readBytes).toBe(64 * MiB);
  });

  it('takes no slot on its way, and its run is over when it has gone through', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    await client.request('run-2', small);
    await worker.complete(worker.lastRequest, new LargeBody(8 * MiB));
    expect(worker.asked).toEqual(['run-1', 'run-2']);
    expect(cluster.service.runsInHand).toBe(2);
    await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
    await cluster.turns.settle();
    expect(cluster.service.runsInHand).toBe(1);
    expect(worker.acknowledged).toEqual([]);
    await client.acknowledge('run-1');
    expect(worker.acknowledged).toEqual(['run-1']);
  });

  it('whose worker is lost in the middle of it is computed again, and its requester gets the value', async () => {
    const requester = await cluster.requester();
    const { outcome, heard } = requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    // Nothing comes behind these bytes: the worker hangs.
    const stuck = new LargeBody(8 * MiB);
    await worker.complete(worker.lastRequest, hanging(stuck));
    const second = await cluster.worker('second');
    cluster.transport.pipes[0]?.break(new Error('the cable is cut'));
    await cluster.pass(LIMITS.leaseMs + LIMITS.heartbeatMs);
    expect(second.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
    await second.complete(second.lastRequest, new LargeBody(8 * MiB));
    const value = valueOf(await cluster.turns.until(outcome));
    expect(bytesEqual(value, largeBytes(8 * MiB))).toBe(true);
    expect(heard).toEqual(['retrying 2 WORKER_LOST']);
    await cluster.turns.settle();
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that has come whole goes on to its requester when its worker leaves, and is not computed again', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    const bytes = largeBytes(300_000);
    await worker.complete(worker.lastRequest, lent(bytes, 100_000));
    const second = await cluster.worker('second');
    const reader = readerOf(client.bodyOfLast('v1.routine.completed'));
    await readUpTo(cluster, reader, 1);
    await worker.close();
    expect(worker.isClosed).toBe(true);
    await readUpTo(cluster, reader, Number.POSITIVE_INFINITY);
    await cluster.turns.settle();
    expect(second.asked).toEqual([]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that its worker gives up three times fails its run as RUN_POISONED', async () => {
    const requester = await cluster.requester();
    const { outcome, heard } = requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    const error = new RoutineEngineError('STORE_UNREACHABLE', 'the disk is gone');
    for (const attempt of [1, 2, 3]) {
      expect(worker.lastRequest).toMatchObject({ attempt });
      await worker.complete(worker.lastRequest, new LargeBody(8 * MiB, { at: 3 * MiB, error }));
    }
    expect(await cluster.turns.until(outcome)).toMatchObject({
      status: 'FAILED',
      error: { code: 'RUN_POISONED', cause: { error: { code: 'STORE_UNREACHABLE' } } },
    });
    expect(heard).toEqual(['retrying 2 STORE_UNREACHABLE', 'retrying 3 STORE_UNREACHABLE']);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('of another length than it says fails its run once, at both ends', async () => {
    const requester = await cluster.requester();
    const { outcome } = requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    const short = new LargeBody(2 * MiB);
    const wrong = { byteLength: 3 * MiB, sizes: [3 * MiB], chunks: () => short.chunks() };
    await worker.complete(worker.lastRequest, wrong);
    const ended = await cluster.turns.until(outcome);
    expect(ended).toMatchObject({ status: 'FAILED', error: { code: 'BYTES_MALFORMED' } });
    expect(worker.asked).toEqual(['run-1']);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('whose requester is gone in the middle of it is given up, and its run is over', async () => {
    const requester = await cluster.requester();
    void requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    const stuck = new LargeBody(8 * MiB);
    const { gate, body } = gated(stuck);
    await worker.complete(worker.lastRequest, body);
    void requester.link.close();
    await cluster.turns.settle();
    gate();
    await cluster.pass(LIMITS.drainMs);
    expect(stuck.isGivenUp).toBe(true);
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(worker.all('v1.routine.cancel')).toEqual([]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that is cancelled in the middle of it is given up, and its run is over', async () => {
    const requester = await cluster.requester();
    const { outcome, cancellation } = requester.dispatch('run-1', { head: new Uint8Array([1]), buffers: [] });
    await cluster.turns.settle();
    const stuck = new LargeBody(8 * MiB);
    const { gate, body } = gated(stuck);
    await worker.complete(worker.lastRequest, body);
    cancellation.cancel(new RoutineEngineError('RUN_CANCELLED', 'enough'));
    expect((await cluster.turns.until(outcome)).status).toBe('CANCELLED');
    await cluster.turns.settle();
    gate();
    await cluster.turns.settle();
    expect(stuck.isGivenUp).toBe(true);
    expect(worker.acknowledged).toEqual(['run-1']);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that a node cancels and does not give up itself ends for it with why', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    const body = new LargeBody(64 * MiB);
    await worker.complete(worker.lastRequest, body);
    const reader = readerOf(client.bodyOfLast('v1.routine.completed'));
    await readUpTo(cluster, reader, MiB);
    const error = { name: 'RoutineEngineError', message: 'enough', code: 'RUN_CANCELLED' };
    await client.cancel('run-1', error);
    await expect(readUpTo(cluster, reader, Number.POSITIVE_INFINITY)).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
    });
    expect(client.last('v1.routine.failed')).toMatchObject({ cancelled: true, error: { message: 'enough' } });
    await cluster.turns.settle();
    expect(body.isGivenUp).toBe(true);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('without a valid lease is given up, so that its sender can close at once', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    const body = new LargeBody(8 * MiB);
    await worker.complete({ ...worker.lastRequest, lease: 99 }, body);
    expect(body.isGivenUp).toBe(true);
    await worker.close();
    expect(worker.isClosed).toBe(true);
  });

  it('counts against its run when its worker is lost', async () => {
    const client = await cluster.client();
    await client.request('run-1', small);
    let held = worker;
    for (const name of ['second', 'third', 'fourth']) {
      await held.tell('v1.routine.starting', held.lastRequest, { worker: name });
      const stuck = new LargeBody(8 * MiB);
      await held.complete(held.lastRequest, hanging(stuck));
      const lost = cluster.transport.pipes.at(name === 'second' ? 0 : -1);
      lost?.break(new Error('the cable is cut'));
      await cluster.pass(LIMITS.leaseMs + LIMITS.heartbeatMs);
      held = await cluster.worker(name);
    }
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'RUN_POISONED' });
  });
});

/** A body whose bytes cease to come after the first MiB. */
function hanging(body: LargeBody): Body {
  return gated(body).body;
}

/** A body whose bytes come to a halt after the first MiB, until its gate opens. */
function gated(large: LargeBody): { readonly gate: () => void; readonly body: Body } {
  let gate = (): void => undefined;
  const opened = new Promise<void>((resolve) => (gate = resolve));
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for await (const chunk of large.chunks()) {
      yield chunk;
      if (large.given >= MiB) await opened;
    }
  }
  const { byteLength, sizes } = large;
  return { gate: () => gate(), body: { byteLength, sizes, chunks } };
}
