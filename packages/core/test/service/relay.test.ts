import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { read, readerOf } from '../protocol/connected.js';
import { LargeBody, largeBytes } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { bytesEqual, IN_FLIGHT, MiB, readUpTo, small, valueOf } from '../support/relayed.js';

let cluster: PipedCluster;
beforeEach(async () => {
  cluster = await PipedCluster.start();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

describe('large arguments', () => {
  it('of 64 MiB go through the service as their worker reads them, and are not kept', async () => {
    const worker = await cluster.worker('worker');
    const client = await cluster.client();
    const body = new LargeBody(64 * MiB);
    await client.request('run-1', body);
    expect(body.given).toBeLessThanOrEqual(IN_FLIGHT);
    const reader = readerOf(worker.bodyOfLast('v1.routine.request_start'));
    let readBytes = 0;
    for (const goal of [MiB, 20 * MiB, 50 * MiB]) {
      readBytes += await readUpTo(cluster, reader, goal - readBytes);
      await cluster.turns.settle();
      expect(body.given - readBytes).toBeLessThanOrEqual(IN_FLIGHT);
    }
    readBytes += await readUpTo(cluster, reader, Number.POSITIVE_INFINITY);
    expect(readBytes).toBe(64 * MiB);
  });

  it('are not read before a worker takes the run', async () => {
    const client = await cluster.client();
    const body = new LargeBody(8 * MiB);
    await client.request('run-1', body);
    expect(body.given).toBeLessThanOrEqual(MiB);
    const worker = await cluster.worker('late');
    const read$ = read(worker.bodyOfLast('v1.routine.request_start'));
    expect(bytesEqual(await cluster.turns.until(read$), largeBytes(8 * MiB))).toBe(true);
  });

  it('are sent again when the worker that was reading them is lost', async () => {
    const first = await cluster.worker('first');
    const requester = await cluster.requester();
    const bytes = largeBytes(8 * MiB);
    const { outcome, heard } = requester.dispatch('run-1', { head: bytes, buffers: [] });
    await cluster.turns.settle();
    await readUpTo(cluster, readerOf(first.bodyOfLast('v1.routine.request_start')), MiB);
    const second = await cluster.worker('second');
    await first.close();
    expect(second.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
    const again = await cluster.turns.until(read(second.bodyOfLast('v1.routine.request_start')));
    expect(bytesEqual(again, bytes)).toBe(true);
    await second.complete(second.lastRequest);
    expect(valueOf(await cluster.turns.until(outcome))).toEqual(new Uint8Array([9]));
    expect(heard).toEqual(['retrying 2 WORKER_LOST']);
  });

  it('are sent again when a worker that is busy refused them, and its body ends', async () => {
    const busy = await cluster.worker('busy');
    const client = await cluster.client();
    const body = new LargeBody(8 * MiB);
    await client.request('run-1', body);
    const given = readerOf(busy.bodyOfLast('v1.routine.request_start'));
    await given.return?.();
    const error = { name: 'Error', message: 'busy' };
    await busy.tell('v1.routine.failed', busy.lastRequest, { cancelled: false, again: 'busy', error });
    expect(body.isGivenUp).toBe(true);
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1', inline: false });
    const free = await cluster.worker('free');
    expect(free.asked).toEqual([]);
    await client.request('run-1', new LargeBody(8 * MiB));
    expect(free.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2 });
  });

  it('that were asked for again bring their run back to its old place', async () => {
    const first = await cluster.worker('first');
    const client = await cluster.client();
    await client.request('run-1', new LargeBody(MiB));
    for (const runId of ['run-2', 'run-3']) await client.request(runId, small);
    await first.close();
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1' });
    const second = await cluster.worker('second');
    expect(second.asked).toEqual(['run-2']);
    await client.request('run-1', new LargeBody(MiB));
    await second.complete(second.lastRequest);
    await second.complete(second.lastRequest);
    expect(second.asked).toEqual(['run-2', 'run-1', 'run-3']);
  });

  it('of a run that is cancelled while it waits for them are not asked for twice', async () => {
    const worker = await cluster.worker('worker');
    const client = await cluster.client();
    await client.request('run-1', new LargeBody(MiB));
    await worker.close();
    await client.cancel('run-1');
    expect(client.last('v1.routine.failed')).toMatchObject({ runId: 'run-1', cancelled: true });
    expect(cluster.service.runsInHand).toBe(0);
    expect(client.all('v1.routine.resend')).toHaveLength(1);
  });

  it.each([
    ['nobody asked for', 'tname:test:train:1.0.0', 'run-1'],
    ['are for no routine', 'tname:nothing', 'run-2'],
    ['are for a run of another node', 'tname:test:train:1.0.0', 'run-0'],
  ])('that %s are given up, so that their sender can close at once', async (_, routineId, runId) => {
    const other = await cluster.client('other');
    await other.request('run-0', small);
    const client = await cluster.client();
    await client.request('run-1', small);
    const body = new LargeBody(8 * MiB);
    await client.request(runId, body, { routineId });
    expect(body.isGivenUp).toBe(true);
    await client.close();
    expect(client.isClosed).toBe(true);
  });

  it('of a run that waits too long are given up', async () => {
    const client = await cluster.client();
    const body = new LargeBody(8 * MiB);
    await client.request('run-1', body, { queueTimeoutMs: 500 });
    await cluster.turns.advance(500);
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'QUEUE_TIMEOUT' });
    expect(body.isGivenUp).toBe(true);
  });
});
