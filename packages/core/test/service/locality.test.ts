import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { makeRef } from '../../src/context/ref.js';
import type { ResultKey } from '../../src/model/result.js';
import { Holdings } from '../../src/service/holdings.js';
import { WorkerTable } from '../../src/service/worker-table.js';
import { inMemory } from '../protocol/connected.js';
import { PipedCluster } from '../support/piped-cluster.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';
import { addWorker, runOf } from './stand-ins.js';

const small = inMemory(new Uint8Array([1]));
const MiB = 1024 * 1024;
const matrix = { digest: 'a'.repeat(64), byteLength: MiB };
const other = { digest: 'b'.repeat(64), byteLength: 3 * MiB };

let cluster: PipedCluster;
let workers: ScriptedPeer[];
let client: ScriptedPeer;

beforeEach(async () => {
  cluster = await PipedCluster.start();
  workers = [];
  for (const name of ['one', 'two', 'three']) workers.push(await cluster.worker(name, { slots: 2 }));
  client = await cluster.client();
});
afterEach(() => cluster.close());

/** Which worker got a run: the index, and it is done there unless it is to stay. */
async function placed(runId: string, extra: object, stays = false): Promise<number> {
  await client.request(runId, small, { ...extra });
  const at = workers.findIndex((worker) => worker.asked.includes(runId));
  if (!stays) await workers[at]?.complete(workers[at].lastRequest);
  return at;
}

describe('a run with large inputs', () => {
  it('goes to the worker that was given them before', async () => {
    await placed('busy', {}, true);
    expect(await placed('first', { inputs: [matrix] })).toBe(1);
    expect(await placed('without', {})).toBe(1);
    await placed('busy too', {}, true);
    expect(await placed('again', { inputs: [matrix] })).toBe(1);
  });

  it('goes to the worker that made them', async () => {
    for (const runId of ['a', 'b', 'c']) await placed(runId, {}, true);
    const reference = {
      key: matrix.digest,
      store: 'fs:/x',
      routineId: 'tname:test:train:1.0.0',
      byteLength: MiB,
    };
    const made = { durationMs: 1, reference: { ...reference, node: 'AQI=' } };
    await workers[2]?.tell('v1.routine.completed', workers[2].lastRequest, made);
    for (const worker of workers.slice(0, 2)) await worker.complete(worker.lastRequest);
    expect(await placed('near', { inputs: [matrix] })).toBe(2);
  });

  it('goes to the worker that has most of their bytes', async () => {
    expect(await placed('a', { inputs: [matrix] }, true)).toBe(0);
    expect(await placed('b', { inputs: [other] }, true)).toBe(1);
    for (const worker of workers.slice(0, 2)) await worker.complete(worker.lastRequest);
    expect(await placed('c', { inputs: [other, matrix] })).toBe(1);
  });

  it('never waits for a worker that has them, nor crowds there', async () => {
    expect(await placed('first', { inputs: [matrix] }, true)).toBe(0);
    expect(await placed('second', { inputs: [matrix] }, true)).toBe(0);
    expect(await placed('third', { inputs: [matrix] }, true)).toBe(1);
  });
});

describe('a request', () => {
  const refer = (digest: string, byteLength: number): object =>
    makeRef({
      key: digest as ResultKey,
      store: 'fs:/x',
      routineId: 'tname:test:a:1.0.0',
      byteLength,
      node: new Uint8Array([1]),
    });

  it('names the kept results that its arguments refer to, the largest first, and no small ones', async () => {
    const requester = await cluster.requester();
    const args = [
      refer('a'.repeat(64), MiB),
      { deep: [refer('b'.repeat(64), 2 * MiB), refer('c'.repeat(64), 10)] },
    ];
    requester.dispatch('run-1', new MsgpackrCodec().encode(args));
    requester.dispatch('run-2', new MsgpackrCodec().encode([1]));
    await cluster.turns.settle();
    const [named, none] = workers.slice(0, 2).map((worker) => worker.lastRequest['inputs']);
    expect(named).toEqual([{ ...other, byteLength: 2 * MiB }, matrix]);
    expect(none).toBeUndefined();
  });
});

describe('what is known of who has what', () => {
  it('is bounded, for each input and in all, and forgets workers that are gone', () => {
    const table = new WorkerTable();
    const holdings = new Holdings(table);
    const there = Array.from({ length: 20 }, () => addWorker(table));
    const { request } = runOf({ inputs: [matrix] });
    for (const worker of there) holdings.given(worker, request);
    expect([...holdings.holdersOf(request).keys()]).toEqual(there.slice(12));
    for (const worker of there.slice(15)) table.remove(worker);
    expect([...holdings.holdersOf(request).keys()]).toEqual(there.slice(12, 15));
    const [first] = there;
    for (let n = 0; first && n < 70_000; n += 1)
      holdings.given(first, runOf({ inputs: [{ digest: `${n}`, byteLength: 1 }] }).request);
    expect(holdings.holdersOf(request).size).toBe(0);
  });
});
