import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { bodyOf } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import { inMemory, read } from '../protocol/connected.js';
import { largeBytes } from '../support/large-body.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB } from '../support/relayed.js';
import { sharedStore } from '../support/shared-store.js';

const large = largeBytes(MiB);
const args = { head: new Uint8Array([1]), buffers: [large, new Uint8Array([2])] };
const blobs = [{ part: 1, digest: 'a'.repeat(64), byteLength: MiB }];
const rest = bodyOf({ head: new Uint8Array([1]), buffers: [new Uint8Array(0), new Uint8Array([2])] });

let cluster: PipedCluster;
beforeEach(async () => {
  cluster = await PipedCluster.start();
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

describe('arguments in a store', () => {
  it('are put there once, named to the worker, and not sent', async () => {
    const store = sharedStore('x', cluster.turns);
    const worker = await cluster.worker('worker', { store: store.identity, slots: 2 });
    const requester = await cluster.requester(store);
    for (const runId of ['run-1', 'run-2']) void requester.dispatch(runId, args);
    await cluster.turns.settle();
    const [digest] = [...store.blobs.kept.keys()];
    expect(store.blobs.kept.size).toBe(1);
    expect(worker.lastRequest).toMatchObject({
      store: store.identity,
      blobs: [{ part: 1, digest, byteLength: MiB }],
    });
    expect(worker.bodyOfLast('v1.routine.request_start')?.sizes).toEqual([1, 0, 1]);
    expect(worker.bodyOfLast('v1.routine.request_start')?.parts?.[2]).toEqual(new Uint8Array([2]));
  });

  it('are only the large ones, and small calls are sent in the turn of the caller', async () => {
    const store = sharedStore('x', cluster.turns);
    const worker = await cluster.worker('worker', { store: store.identity });
    const requester = await cluster.requester(store);
    const before = requester.pipe.sent.length;
    void requester.dispatch('run-1', {
      head: new Uint8Array([1]),
      buffers: [new Uint8Array(LIMITS.blobBytes - 1)],
    });
    await cluster.turns.settle();
    expect(requester.pipe.sent.length).toBeGreaterThan(before);
    expect(store.blobs.kept.size).toBe(0);
    expect(worker.lastRequest['blobs']).toBeUndefined();
    expect(worker.lastRequest['store']).toBe(store.identity);
  });

  it('go only to workers that have the store, though others are free', async () => {
    const other = await cluster.worker('other', { store: 'shared:other' });
    const without = await cluster.worker('without');
    const has = await cluster.worker('has', { store: 'shared:x' });
    const client = await cluster.client();
    for (const runId of ['run-1', 'run-2']) await client.request(runId, rest, { store: 'shared:x', blobs });
    expect(has.asked).toEqual(['run-1']);
    expect([...other.asked, ...without.asked]).toEqual([]);
    await has.complete(has.lastRequest);
    expect(has.asked).toEqual(['run-1', 'run-2']);
    expect(client.all('v1.routine.resend')).toEqual([]);
  });

  it('hold up no run that other workers can take', async () => {
    await cluster.worker('has', { store: 'shared:x' });
    const client = await cluster.client();
    for (const runId of ['run-1', 'run-2']) await client.request(runId, rest, { store: 'shared:x', blobs });
    const free = await cluster.worker('free');
    await client.request('run-3', inMemory(new Uint8Array([1])));
    expect(free.asked).toEqual(['run-3']);
  });

  it('that no worker of the routine can read are asked for inline, and then sent so at once', async () => {
    const worker = await cluster.worker('worker', { store: 'shared:other', slots: 2 });
    const store = sharedStore('x', cluster.turns);
    const requester = await cluster.requester(store);
    void requester.dispatch('run-1', args);
    await cluster.turns.settle();
    expect(worker.lastRequest).toMatchObject({ runId: 'run-1', attempt: 1 });
    expect(worker.lastRequest['blobs']).toBeUndefined();
    const bytes = await cluster.turns.until(read(worker.bodyOfLast('v1.routine.request_start')));
    expect(bytes.byteLength).toBe(MiB + 2);
    store.blobs.kept.clear();
    void requester.dispatch('run-2', args);
    await cluster.turns.settle();
    expect(worker.lastRequest).toMatchObject({ runId: 'run-2' });
    expect(worker.bodyOfLast('v1.routine.request_start')?.byteLength).toBe(MiB + 2);
    expect(store.blobs.kept.size).toBe(0);
  });

  it('wait for any worker while nobody offers the routine', async () => {
    const client = await cluster.client();
    await client.request('run-1', rest, { store: 'shared:x', blobs });
    expect(client.all('v1.routine.resend')).toEqual([]);
    await cluster.worker('other', { store: 'shared:other' });
    expect(client.last('v1.routine.resend')).toMatchObject({ runId: 'run-1', inline: true });
  });

  it.each([
    ['is lost', 'close'],
    ['drains', 'drain'],
  ])('are asked for inline when the last worker that can read them %s', async (_, how) => {
    const has = await cluster.worker('has', { store: 'shared:x' });
    const client = await cluster.client();
    for (const runId of ['run-1', 'run-2']) await client.request(runId, rest, { store: 'shared:x', blobs });
    const other = await cluster.worker('other');
    if (how === 'close') await has.close();
    else await has.say({ type: 'v1.worker.draining' });
    const asked = client.all('v1.routine.resend').map(({ runId, inline }) => [runId, inline]);
    expect(asked).toEqual(
      how === 'close'
        ? [
            ['run-1', true],
            ['run-2', true],
          ]
        : [['run-2', true]],
    );
    await client.request('run-2', inMemory(large));
    expect(other.asked).toEqual(['run-2']);
  });

  it('that come once more in a store where all their bytes were asked for fail their run', async () => {
    await cluster.worker('worker');
    const client = await cluster.client();
    await client.request('run-1', rest, { store: 'shared:x', blobs });
    await client.request('run-1', rest, { store: 'shared:x', blobs });
    expect(client.all('v1.routine.resend')).toHaveLength(1);
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that the store does not take are sent whole', async () => {
    const store = sharedStore('x', cluster.turns);
    store.blobs.refusal = new RoutineEngineError('STORE_FULL', 'no room');
    const worker = await cluster.worker('worker', { store: store.identity });
    const requester = await cluster.requester(store);
    void requester.dispatch('run-1', args);
    await cluster.turns.settle();
    expect(worker.bodyOfLast('v1.routine.request_start')?.byteLength).toBe(MiB + 2);
    expect(cluster.logged.join('\n')).toContain('whole');
  });

  it('of a call that is cancelled while they are put there are not sent', async () => {
    const store = sharedStore('x', cluster.turns);
    const worker = await cluster.worker('worker', { store: store.identity });
    const requester = await cluster.requester(store);
    const { outcome, cancellation } = requester.dispatch('run-1', args);
    cancellation.cancel(new RoutineEngineError('RUN_CANCELLED', 'enough'));
    expect((await outcome).status).toBe('CANCELLED');
    await cluster.turns.settle();
    expect(worker.asked).toEqual([]);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('are sent again by name when their worker is lost before it took them', async () => {
    const first = await cluster.worker('first', { store: 'shared:x' });
    const client = await cluster.client();
    await client.request('run-1', rest, { store: 'shared:x', blobs });
    const second = await cluster.worker('second', { store: 'shared:x' });
    await first.close();
    expect(second.lastRequest).toMatchObject({ runId: 'run-1', attempt: 2, blobs });
    expect(client.all('v1.routine.resend')).toEqual([]);
  });
});
