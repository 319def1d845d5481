import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PipedCluster } from '../support/piped-cluster.js';
import { small } from '../support/relayed.js';
import type { ScriptedPeer } from '../support/scripted-peer.js';

let cluster: PipedCluster;
let worker: ScriptedPeer;
let client: ScriptedPeer;

beforeEach(async () => {
  cluster = await PipedCluster.start();
  worker = await cluster.worker('worker');
  client = await cluster.client();
  await client.request('first', small);
});
afterEach(() => cluster.close());

/** Ends what the worker holds until nothing waits any more. @returns the run ids in the order of their placement. */
async function placed(): Promise<unknown[]> {
  for (let asked = 0; asked < worker.asked.length; asked += 1) await worker.complete(worker.lastRequest);
  return worker.asked.slice(1);
}

describe('runs that wait at the service', () => {
  it('go by priority', async () => {
    for (const [runId, priority] of Object.entries({ low: -1, usual: 0, high: 1 }))
      await client.request(runId, small, { priority });
    expect(await placed()).toEqual(['high', 'usual', 'low']);
  });

  it('take turns by their roots', async () => {
    for (const runId of ['a1', 'a2', 'a3', 'b1', 'b2', 'c1'])
      await client.request(runId, small, {
        rootRunId: runId.slice(0, 1),
        parentRunId: runId.slice(0, 1),
        depth: 1,
      });
    expect(await placed()).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('of one root go deepest first', async () => {
    for (const depth of [1, 2, 3])
      await client.request(`depth-${depth}`, small, { rootRunId: 'a', parentRunId: 'a', depth });
    expect(await placed()).toEqual(['depth-3', 'depth-2', 'depth-1']);
  });

  it('go as early as the most urgent of those that want the same', async () => {
    const argumentsDigest = 'a'.repeat(64);
    const other = await cluster.client('other');
    await client.request('leads', small, { argumentsDigest, priority: -5 });
    await client.request('usual', small);
    await other.request('follows', small, { argumentsDigest, priority: 5 });
    expect(await placed()).toEqual(['leads', 'usual']);
    expect(other.last('v1.routine.completed')).toMatchObject({ runId: 'follows' });
  });
});
