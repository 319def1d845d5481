import { createHash } from 'node:crypto';
import { of } from 'rxjs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { bodyOf } from '../../src/model/body.js';
import type { Encoded } from '../../src/model/encoded.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Outcome } from '../../src/model/outcome.js';
import { read } from '../protocol/connected.js';
import { LargeBody, largeBytes } from '../support/large-body.js';
import { PipedCluster, type Dispatched, type Requester } from '../support/piped-cluster.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';
import { ScriptedConnection } from '../support/scripted-connection.js';
import { sharedStore } from '../support/shared-store.js';

const MiB = 1024 * 1024;
const EMPTY = new Uint8Array(0);
const one = { head: new Uint8Array([1]), buffers: [] };

let cluster: PipedCluster;
let worker: ScriptedPeer;
let requester: Requester;
let store: ReturnType<typeof sharedStore>;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  store = sharedStore('x', cluster.turns);
  worker = await cluster.worker('worker', { store: store.identity });
  requester = await cluster.requester(store);
});
afterEach(async () => {
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

async function dispatch(extra: Parameters<Requester['dispatch']>[2] = {}): Promise<Dispatched> {
  const dispatched = requester.dispatch('run-1', one, extra);
  await cluster.turns.settle();
  return dispatched;
}

const ended = (dispatched: Dispatched): Promise<Outcome> => cluster.turns.until(dispatched.outcome);

async function valueOf(dispatched: Dispatched): Promise<Encoded> {
  const outcome = await ended(dispatched);
  if (outcome.status !== 'DONE' || !outcome.value) throw new Error(JSON.stringify(outcome));
  return outcome.value;
}

/** The same value as it comes in chunks of no particular size. */
function inChunks(value: Encoded): ReturnType<typeof bodyOf> {
  const { sizes, byteLength, parts = [] } = bodyOf(value);
  const whole = Buffer.concat(parts);
  return {
    ...{ sizes, byteLength },
    async *chunks() {
      for (let at = 0; at < whole.byteLength; at += 77_777) {
        const chunk = Uint8Array.from(whole.subarray(at, at + 77_777));
        yield chunk;
        chunk.fill(0xee);
      }
    },
  };
}

describe('a result', () => {
  it('that is small has its parts, and how many of them are streams', async () => {
    const dispatched = await dispatch();
    const value = { head: new Uint8Array([5]), buffers: [new Uint8Array([6]), new Uint8Array([7, 8])] };
    await worker.complete(worker.lastRequest, bodyOf(value), { streams: 1, rememberedIn: 'fs:/x' });
    expect(await ended(dispatched)).toMatchObject({
      status: 'DONE',
      value: { ...value, streams: 1 },
      rememberedIn: 'fs:/x',
      durationMs: 1_000,
    });
  });

  it('that is large comes into memory part by part, but its streams, which stay readable', async () => {
    const dispatched = await dispatch();
    const [long, short] = [largeBytes(3 * LIMITS.streamInMemoryBytes), largeBytes(1_000)];
    const value = { head: largeBytes(300_000), buffers: [EMPTY, largeBytes(MiB), EMPTY, long, short] };
    await worker.complete(worker.lastRequest, inChunks(value), { streams: 3 });
    const got = await valueOf(dispatched);
    expect(got.streams).toBe(3);
    expect([...(got.blobs?.keys() ?? [])]).toEqual([4]);
    expect(got.buffers.map((buffer) => buffer.byteLength)).toEqual([0, MiB, 0, 0, 1_000]);
    expect(Buffer.compare(got.head, value.head)).toBe(0);
    expect(Buffer.compare(got.buffers[1] as Uint8Array, value.buffers[1] as Uint8Array)).toBe(0);
    const blob = got.blobs?.get(4);
    for (const _ of [1, 2]) {
      const bytes = await read({ sizes: [], byteLength: 0, chunks: () => blob?.chunks() ?? ([] as never) });
      expect(Buffer.compare(bytes, long)).toBe(0);
    }
  });

  it('whose parts are in the store is looked up there, and read by nobody yet', async () => {
    const dispatched = await dispatch();
    const bytes = largeBytes(MiB);
    const digest = createHash('sha256').update(bytes).digest('hex');
    await store.blobs.put(bytes);
    const blobs = [{ part: 1, digest, byteLength: MiB }];
    const rest = bodyOf({ head: new Uint8Array([5]), buffers: [EMPTY] });
    await worker.complete(worker.lastRequest, rest, { store: store.identity, blobs });
    const got = await valueOf(dispatched);
    expect(got.blobs?.get(1)?.digest).toBe(digest);
    expect(store.blobs.reads).toBe(0);
  });

  it.each([
    ['is no longer in the store', () => store.identity, 'CONTENT_MISSING'],
    ['is in a store of others', () => 'shared:other', 'REFERENCE_UNREACHABLE'],
  ])('of which a part %s fails its call', async (_, identity, code) => {
    const dispatched = await dispatch();
    const blobs = [{ part: 0, digest: 'a'.repeat(64), byteLength: MiB }];
    const rest = bodyOf({ head: EMPTY, buffers: [] });
    await worker.complete(worker.lastRequest, rest, { store: identity(), blobs });
    expect(await ended(dispatched)).toMatchObject({ status: 'FAILED', error: { code } });
  });

  it('that is only named gives the reference, without a body', async () => {
    const dispatched = await dispatch({ answer: 'reference' });
    expect(worker.lastRequest['answer']).toBe('reference');
    const named = {
      key: 'b'.repeat(64),
      store: store.identity,
      routineId: 'tname:test:train:1.0.0',
      byteLength: 7,
    };
    const completed = { durationMs: 5, rememberedIn: store.identity, reference: { ...named, node: 'AQID' } };
    await worker.tell('v1.routine.completed', worker.lastRequest, completed);
    expect(await ended(dispatched)).toEqual({
      status: 'DONE',
      value: undefined,
      reference: { ...named, node: new Uint8Array([1, 2, 3]) },
      durationMs: 5,
      rememberedIn: store.identity,
    });
    expect(worker.all('v1.routine.ack')).toHaveLength(1);
  });

  it('whose stream this node can not keep fails its call, and is given up', async () => {
    const dispatched = await dispatch();
    store.blobs.refusal = new RoutineEngineError('STORE_FULL', 'no room');
    const body = new LargeBody(32 * MiB);
    const parts = { byteLength: 32 * MiB, sizes: [0, 32 * MiB], chunks: () => body.chunks() };
    await worker.complete(worker.lastRequest, parts, { streams: 1 });
    expect(await ended(dispatched)).toMatchObject({ status: 'FAILED', error: { code: 'STORE_FULL' } });
    await cluster.turns.settle();
    expect(body.isGivenUp).toBe(true);
    expect(worker.asked).toEqual(['run-1']);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that there is no memory for fails its call, and is given up', async () => {
    const dispatched = await dispatch();
    const body = new LargeBody(2 ** 52);
    await worker.complete(worker.lastRequest, body);
    expect(await ended(dispatched)).toMatchObject({ status: 'FAILED' });
    await cluster.turns.settle();
    expect(body.isGivenUp).toBe(true);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that nobody waits for any more is given up, so that its sender can close at once', async () => {
    const { cancellation } = await dispatch();
    const request = worker.lastRequest;
    const body = new LargeBody(8 * MiB);
    const completed = worker.complete(request, body);
    cancellation.cancel(new RoutineEngineError('RUN_CANCELLED', 'enough'));
    await completed;
    await cluster.turns.settle();
    expect(body.isGivenUp).toBe(true);
    await worker.close();
    expect(worker.isClosed).toBe(true);
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('of a worker inside the service whose stream is gone before it is sent fails its call', async () => {
    const { outcome } = requester.dispatch('run-1', one, {});
    await cluster.turns.settle();
    await worker.tell('v1.routine.failed', worker.lastRequest, {
      ...{ cancelled: false, again: 'busy', error: { name: 'Error', message: 'busy' } },
    });
    const inside = new ScriptedConnection();
    cluster.service.serve({ address: 'inside:', connections$: of(inside), close: () => inside.close() });
    const hello = {
      type: 'hello',
      protocols: [1],
      role: 'worker',
      name: 'inside',
      codec: 'msgpackr-1',
      serializers: [],
    };
    inside.inbound$.next({ header: hello });
    const session = inside.sent[0]?.header['session'];
    const routines = [{ routineId: 'tname:test:train:1.0.0' }];
    const ready = { type: 'v1.worker.ready', routines, slots: 1, inbox: 0, session, sequence: 1 };
    inside.inbound$.next({ header: ready });
    const { runId, attempt, lease } = inside.sent.at(-1)?.header ?? {};
    const completed = { type: 'v1.routine.completed', durationMs: 1, streams: 1, runId, attempt, lease };
    inside.inbound$.next({ header: { ...completed, session, sequence: 2 }, body: bodyOf(streamGone()) });
    expect(await cluster.turns.until(outcome)).toMatchObject({
      status: 'FAILED',
      error: { code: 'CONTENT_MISSING' },
    });
    expect(cluster.service.runsInHand).toBe(0);
  });
});

/** A value in this process whose stream lies where nothing is any more. */
function streamGone(): Encoded {
  const blob = {
    ...{ digest: 'a'.repeat(64), byteLength: MiB },
    chunks(): AsyncIterable<Uint8Array> {
      throw new RoutineEngineError('CONTENT_MISSING', 'the spool is closed');
    },
  };
  return { head: new Uint8Array([1]), buffers: [EMPTY], streams: 1, blobs: new Map([[1, blob]]) };
}
