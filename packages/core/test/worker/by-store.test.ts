import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Contents } from '../../src/cache/contents.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { bodyOf } from '../../src/model/body.js';
import { encodedBytes, isLoaded } from '../../src/model/encoded.js';
import type { EncodedCall } from '../../src/model/call.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { WorkerNode } from '../../src/worker/worker-node.js';
import { LargeBody, largeBytes } from '../support/large-body.js';
import { live as takingTurns, liveWorker } from '../support/live-worker.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { MiB } from '../support/relayed.js';
import { memorySpool, sharedStore } from '../support/shared-store.js';

const codec = new MsgpackrCodec();
const bytes = largeBytes(2 * MiB);
const inverse = bytes.map((byte) => 255 - byte);

let cluster: PipedCluster;
let store: ReturnType<typeof sharedStore>;
let workers: WorkerNode[];
beforeEach(async () => {
  cluster = await PipedCluster.start();
  store = sharedStore('x', cluster.turns);
  workers = [];
});
afterEach(async () => {
  await live(Promise.all(workers.map((worker) => worker.stop())));
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

const live = <T>(promise: Promise<T>): Promise<T> => takingTurns(cluster.turns, promise);

async function startWorker(theirs = store): Promise<WorkerNode> {
  const worker = liveWorker(cluster, theirs, new URL('./fixtures/large-routines.ts', import.meta.url));
  workers.push(worker);
  await live(worker.start());
  return worker;
}

async function outcomeOf(
  routine: string,
  args: readonly unknown[],
  extra: Partial<EncodedCall> = {},
): Promise<Outcome> {
  const requester = await cluster.requester(store);
  const routineId = `tname:test:${routine}:1.0.0`;
  const { outcome } = requester.dispatch('run-1', codec.encode(args), { routineId, ...extra });
  return live(outcome);
}

/** What a value says when all of it is in memory. */
async function decoded(outcome: Outcome): Promise<unknown> {
  if (outcome.status !== 'DONE' || !outcome.value) throw new Error(JSON.stringify(outcome));
  const contents = new Contents({
    ...{ store, spool: memorySpool(), clock: cluster.turns, node: 'reader' },
    feed: new EventFeed<EngineEvent>(),
  });
  return codec.decode(await contents.load(outcome.value));
}

const sentBytes = (): number =>
  cluster.transport.pipes.flatMap(({ sent }) => sent).reduce((sum, { byteLength }) => sum + byteLength, 0);

describe('a worker', () => {
  it('that has the store of the requester reads arguments and leaves results there, and no pipe carries them', async () => {
    await startWorker();
    const outcome = await outcomeOf('inverted', [bytes]);
    expect(outcome.status === 'DONE' && outcome.value && isLoaded(outcome.value)).toBe(false);
    expect(store.blobs.kept.size).toBe(2);
    expect(Buffer.compare((await decoded(outcome)) as Uint8Array, inverse)).toBe(0);
    expect(sentBytes()).toBeLessThan(100_000);
  });

  it('that has another store is sent whole arguments, and sends whole results', async () => {
    await startWorker(sharedStore('other', cluster.turns));
    const outcome = await outcomeOf('inverted', [bytes]);
    expect(outcome.status === 'DONE' && outcome.value && isLoaded(outcome.value)).toBe(true);
    expect(Buffer.compare((await decoded(outcome)) as Uint8Array, inverse)).toBe(0);
    expect(sentBytes()).toBeGreaterThan(4 * MiB);
  });

  it('whose store takes nothing sends results whole', async () => {
    const full = sharedStore('x', cluster.turns);
    full.blobs.refusal = new RoutineEngineError('STORE_FULL', 'no room');
    await startWorker(full);
    store.blobs.refusal = full.blobs.refusal;
    const outcome = await outcomeOf('inverted', [bytes]);
    expect(Buffer.compare((await decoded(outcome)) as Uint8Array, inverse)).toBe(0);
    expect(store.blobs.kept.size).toBe(0);
  });

  it.each([
    ['the same store', 'x'],
    ['another store', 'other'],
  ])('with %s sends a stream so that it can be read', async (_, id) => {
    await startWorker(id === 'x' ? store : sharedStore(id, cluster.turns));
    const outcome = await outcomeOf('streamed', [3 * MiB]);
    if (outcome.status !== 'DONE' || !outcome.value) throw new Error(JSON.stringify(outcome));
    expect(outcome.value.streams).toBe(1);
    let read = 0;
    for await (const chunk of (await decoded(outcome)) as AsyncIterable<Uint8Array>) read += chunk.byteLength;
    expect(read).toBe(3 * MiB);
    expect(encodedBytes(outcome.value)).toBeGreaterThanOrEqual(3 * MiB);
  });

  it('answers with a reference when that is asked for, and sends no value', async () => {
    await startWorker();
    const outcome = await outcomeOf('inverted', [bytes], {
      answer: 'reference',
      argumentsDigest: codec.digest([bytes]),
    });
    expect(outcome).toMatchObject({
      status: 'DONE',
      value: undefined,
      rememberedIn: store.identity,
      reference: { store: store.identity, routineId: 'tname:test:inverted:1.0.0' },
    });
    expect(sentBytes()).toBeLessThan(100_000);
  });

  const long = largeBytes(20 * MiB);
  const longInverse = long.map((byte) => 255 - byte);
  const remembered = { argumentsDigest: 'a'.repeat(64) };

  it('executes nothing that is in the store by now, though its requester had not found it there', async () => {
    await startWorker();
    await outcomeOf('inverted', [bytes], remembered);
    const client = await cluster.client();
    for (const [runId, digit] of [
      ['kept', 'a'],
      ['new', 'b'],
    ] as const) {
      await client.request(runId, bodyOf(codec.encode([bytes])), {
        ...{ routineId: 'tname:test:inverted:1.0.0', store: store.identity },
        argumentsDigest: digit.repeat(64),
      });
      while (client.all('v1.routine.completed').at(-1)?.['runId'] !== runId) await cluster.turns.settle();
      expect(client.last('v1.routine.completed')).toMatchObject({ rememberedIn: store.identity });
    }
    expect(client.all('v1.routine.starting')).toMatchObject([{ runId: 'new' }]);
  });

  it('stores a long result while it comes, and names it as its canonical digest says', async () => {
    await startWorker();
    const outcome = await outcomeOf('inverted', [long], { answer: 'both', ...remembered });
    if (outcome.status !== 'DONE') throw new Error(JSON.stringify(outcome));
    expect(outcome.rememberedIn).toBe(store.identity);
    expect(outcome.node).toEqual(codec.digestNode(longInverse));
    expect([...store.blobs.kept.keys()]).toContain(createHash('sha256').update(longInverse).digest('hex'));
    expect(Buffer.compare((await decoded(outcome)) as Uint8Array, longInverse)).toBe(0);
    expect(sentBytes()).toBeLessThan(100_000);
  });

  it.each([
    ['that is remembered', remembered],
    ['that is not remembered', {}],
  ])('sends a long result %s whole when the store takes nothing', async (_, extra) => {
    const full = sharedStore('x', cluster.turns);
    full.blobs.refusal = new RoutineEngineError('STORE_FULL', 'no room');
    await startWorker(full);
    store.blobs.refusal = full.blobs.refusal;
    const outcome = await outcomeOf('inverted', [long], { ...extra, answer: 'both' });
    if (outcome.status !== 'DONE') throw new Error(JSON.stringify(outcome));
    expect(outcome).toMatchObject({ rememberedIn: undefined, reference: undefined });
    expect(outcome.node).toEqual(codec.digestNode(longInverse));
    expect(Buffer.compare((await decoded(outcome)) as Uint8Array, longInverse)).toBe(0);
  });

  it('fails a run whose arguments are no longer in the store', async () => {
    await startWorker();
    const client = await cluster.client();
    const gone = [{ part: 0, digest: 'a'.repeat(64), byteLength: MiB }];
    await client.request('run-1', bodyOf({ head: new Uint8Array(0), buffers: [] }), {
      ...{ routineId: 'tname:test:inverted:1.0.0', store: store.identity, blobs: gone },
    });
    expect(client.last('v1.routine.failed')['error']).toMatchObject({ code: 'CONTENT_MISSING' });
  });

  it('gives up the arguments of a run that is cancelled while they come', async () => {
    await startWorker();
    const client = await cluster.client();
    const body = new LargeBody(8 * MiB);
    const halted = { byteLength: 8 * MiB, sizes: [8 * MiB], chunks: () => halting(body) };
    await client.request('run-1', halted, { routineId: 'tname:test:inverted:1.0.0' });
    await client.cancel('run-1');
    expect(client.last('v1.routine.failed')).toMatchObject({ cancelled: true });
    expect(cluster.service.runsInHand).toBe(0);
    await client.close();
    expect(client.isClosed).toBe(true);
  });
});

/** A body whose bytes cease to come after the first MiB. */
async function* halting(body: LargeBody): AsyncGenerator<Uint8Array> {
  for await (const chunk of body.chunks()) {
    yield chunk;
    if (body.given >= MiB) await new Promise(() => undefined);
  }
}
