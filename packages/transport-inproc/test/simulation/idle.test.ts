import { SeededRandom, SimulatedClock } from '@routine-engine/transport-inproc/simulation';
import { describe, expect, it } from 'vitest';
import { Cluster } from './harness/cluster.ts';
import { at } from './harness/place.ts';
import { make } from './harness/routines.ts';
import type { Topology } from './harness/topology.ts';

const TOPOLOGY: Topology = {
  workers: Array.from({ length: 3 }, () => ({ slots: 1, inbox: 128, remembers: true })),
  clients: [{ sendsRoots: true }, { sendsRoots: false }],
  store: 'shared',
  heartbeat: { heartbeatMs: 2_000, suspectMs: 5_000, leaseMs: 10_000, clientLeaseMs: 20_000 },
  delayMs: 5,
  storeLatencyMs: 0,
};
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A cluster that has done something, and has nothing more to do. */
async function idleCluster(): Promise<Cluster> {
  const cluster = new Cluster(new SimulatedClock(), new SeededRandom('idle'), TOPOLOGY);
  await cluster.start();
  expect(await answerOf(cluster, 1)).toBeGreaterThan(0);
  await cluster.clock.advance(MINUTE);
  return cluster;
}

async function answerOf(cluster: Cluster, number: number): Promise<number> {
  const { host } = cluster.clientOf('client-1');
  if (!host) throw new Error('The client is not up');
  const call = { of: 'task', node: { id: `idle.${number}`, ms: 10 } } as const;
  let answer: number | undefined;
  void at(host.place, () => host.lifecycle.run(() => make(call))).then((value) => (answer = value));
  await cluster.clock.run({ until: () => answer !== undefined, forMs: MINUTE });
  if (answer === undefined) throw new Error('Nothing was answered');
  return answer;
}

function sizesOf({ seats, network, service, workers }: Cluster): unknown {
  return {
    timers: seats.map(({ name, process }) => [name, process?.timers]),
    connections: network.openEnds,
    service: service.host?.service.counts,
    workers: workers.map(({ host }) => host?.worker.counts),
  };
}

describe('a cluster with nothing to do', () => {
  it('loses nobody and grows by nothing in a day', { timeout: 120_000 }, async () => {
    const cluster = await idleCluster();
    const before = sizesOf(cluster);
    const beats = cluster.clock.happened;
    await cluster.clock.advance(24 * HOUR);
    expect(cluster.clock.happened - beats).toBeGreaterThan(3 * 24 * 1_800);
    expect(sizesOf(cluster)).toEqual(before);
    expect(cluster.journal.statuses).toEqual([]);
    expect(await answerOf(cluster, 2)).toBeGreaterThan(0);
    await cluster.close();
    expect(cluster.journal.violations).toEqual([]);
  });

  it('takes no harm from clocks that are set, either way, on one node or on all', async () => {
    const cluster = await idleCluster();
    const before = sizesOf(cluster);
    for (const jump of [HOUR, -5 * HOUR, 400 * 24 * HOUR, -1, -800 * 24 * HOUR]) {
      cluster.clock.jump(jump);
      for (const { process } of cluster.seats) {
        process?.jump(-jump / 2);
        await cluster.clock.advance(7_000);
      }
      expect(await answerOf(cluster, jump)).toBeGreaterThan(0);
    }
    await cluster.clock.advance(MINUTE);
    expect(sizesOf(cluster)).toEqual(before);
    expect(cluster.journal.statuses).toEqual([]);
    await cluster.close();
    expect(cluster.journal.violations).toEqual([]);
  });
});
