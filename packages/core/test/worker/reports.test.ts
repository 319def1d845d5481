import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { bodyOf } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { WorkerNode } from '../../src/worker/worker-node.js';
import { read } from '../protocol/connected.js';
import { largeBytes } from '../support/large-body.js';
import { live, liveWorker } from '../support/live-worker.js';
import { PipedCluster } from '../support/piped-cluster.js';
import { sharedStore } from '../support/shared-store.js';

const codec = new MsgpackrCodec();
const bytes = largeBytes(1024 * 1024);

let cluster: PipedCluster;
let store: ReturnType<typeof sharedStore>;
let worker: WorkerNode;
beforeEach(async () => {
  cluster = await PipedCluster.start();
  store = sharedStore('x', cluster.turns);
});
afterEach(async () => {
  await live(cluster.turns, worker.stop());
  await cluster.close();
  expect(cluster.turns.pendingTimers, 'timers left after close').toBe(0);
});

async function startWorker(fixture: string): Promise<void> {
  worker = liveWorker(cluster, store, new URL(`./fixtures/${fixture}.ts`, import.meta.url));
  await live(cluster.turns, worker.start());
}

/** Lets the store take blobs only when it is told to. */
function gatedStore(): { readonly asked: Promise<void>; readonly open: () => void } {
  let open = (): void => undefined;
  let ask = (): void => undefined;
  const asked = new Promise<void>((resolve) => (ask = resolve));
  const gate = new Promise<void>((resolve) => (open = resolve));
  const put = store.blobs.put.bind(store.blobs);
  store.blobs.put = async (source) => {
    ask();
    await gate;
    return put(source);
  };
  return { asked, open: () => open() };
}

async function threadEnds(): Promise<void> {
  while (process.getActiveResourcesInfo().includes('MessagePort')) await cluster.turns.settle();
  for (let turn = 0; turn < 10; turn += 1) await cluster.turns.settle();
}

describe('a worker that stops', () => {
  it.each([
    ['shared with its requester', {}],
    ['remembered', { argumentsDigest: codec.digest([bytes]) }],
  ])('while a result is being %s still gives it', async (_, extra) => {
    await startWorker('large-routines');
    const client = await cluster.client();
    const { asked, open } = gatedStore();
    const routineId = 'tname:test:inverted:1.0.0';
    await client.request('run-1', bodyOf(codec.encode([bytes])), {
      routineId,
      store: store.identity,
      ...extra,
    });
    await live(cluster.turns, asked);
    const stopped = worker.stop();
    await threadEnds();
    open();
    await live(cluster.turns, stopped);
    expect(client.last('v1.routine.completed')).toMatchObject({ runId: 'run-1', attempt: 1 });
    expect(client.all('v1.routine.waiting')).toEqual([]);
  });

  it('waits no longer for a store that hangs than for a connection', async () => {
    await startWorker('large-routines');
    const client = await cluster.client();
    const { asked } = gatedStore();
    const routineId = 'tname:test:inverted:1.0.0';
    await client.request('run-1', bodyOf(codec.encode([bytes])), { routineId, store: store.identity });
    await live(cluster.turns, asked);
    const before = cluster.turns.pendingTimers;
    const stopped = worker.stop();
    while (cluster.turns.pendingTimers === before) await cluster.turns.settle();
    await cluster.turns.advance(LIMITS.drainMs);
    await live(cluster.turns, stopped);
    expect(client.last('v1.routine.waiting')).toMatchObject({ error: { code: 'WORKER_LOST' } });
  });
});

describe('a run', () => {
  it('that fails with an error too long for a directive fails with the most of it that fits', async () => {
    await startWorker('failing-routines');
    const client = await cluster.client();
    await client.request('run-1', bodyOf(codec.encode([])), {
      routineId: 'tname:test:fails-at-length:1.0.0',
    });
    while (client.all('v1.routine.failed').length === 0) await cluster.turns.settle();
    expect(client.last('v1.routine.failed')['error']).toMatchObject({
      name: 'AggregateError',
      message: 'all parts failed',
    });
    expect(cluster.service.runsInHand).toBe(0);
  });

  it('that ended is reported again while nobody acknowledged it, and not executed again', async () => {
    await startWorker('large-routines');
    const client = await cluster.client();
    const routineId = 'tname:test:inverted:1.0.0';
    const results = async (count: number): Promise<void> => {
      while (client.all('v1.routine.completed').length < count) await cluster.turns.settle();
    };
    await client.request('run-1', bodyOf(codec.encode([bytes])), { routineId });
    await results(1);
    await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
    await client.resume('run-1', { routineId });
    await results(2);
    const inverted = await cluster.turns.until(read(client.bodyOfLast('v1.routine.completed')));
    expect(Buffer.compare(inverted.subarray(-1_000), bytes.map((byte) => 255 - byte).subarray(-1_000))).toBe(
      0,
    );
    expect(client.all('v1.routine.completed').map(({ attempt }) => attempt)).toEqual([1, 1]);
    expect(client.all('v1.routine.starting')).toHaveLength(1);
  });

  it('whose arguments were cut by the loss of its requester has them sent again, and does not fail', async () => {
    await startWorker('large-routines');
    const client = await cluster.client();
    const routineId = 'tname:test:inverted:1.0.0';
    async function* stuck(): AsyncGenerator<Uint8Array> {
      yield bytes.subarray(0, 1_000);
      await new Promise(() => undefined);
    }
    const { byteLength } = bytes;
    await client.request('run-1', { byteLength, sizes: [byteLength], chunks: stuck }, { routineId });
    cluster.transport.pipes.at(-1)?.break(new Error('the cable is cut'));
    await cluster.turns.settle();
    const back = await cluster.client('client', client.session);
    await back.resume('run-1', { routineId });
    while (back.all('v1.routine.resend').length === 0) await cluster.turns.settle();
    await back.request('run-1', bodyOf(codec.encode([bytes])), { routineId });
    while (back.all('v1.routine.completed').length === 0) await cluster.turns.settle();
    expect(back.all('v1.routine.failed')).toEqual([]);
    await cluster.turns.until(read(back.bodyOfLast('v1.routine.completed')));
  });
});
