import { describe, expect, it } from 'vitest';
import { Reference } from './harness/reference.ts';
import { simulate, type Scenario } from './harness/simulate.ts';
import type { Topology } from './harness/topology.ts';
import type { Call } from './harness/tree.ts';

/** What simulations found, each as small as it could be made. */

const worker = { slots: 1, inbox: 0, remembers: true };

const TOPOLOGY: Topology = {
  workers: [worker],
  clients: [{ sendsRoots: true }],
  store: 'own',
  heartbeat: { heartbeatMs: 2_000, suspectMs: 5_000, leaseMs: 10_000, clientLeaseMs: 20_000 },
  delayMs: 1,
  storeLatencyMs: 0,
};

async function violations(
  scenario: Partial<Scenario> & { readonly calls: readonly Call[] },
  cancelAfterMs?: number,
): Promise<readonly string[]> {
  const { calls, ...given } = scenario;
  const reference = await Reference.open();
  const requests = calls.map((call, index) => ({
    ...{ client: 'client-1', atMs: 10 * index, call, cancelAfterMs: index === 0 ? cancelAfterMs : undefined },
    ...{ state: 'planned' as const, outcome: undefined },
  }));
  const report = await simulate({ seed: 1, topology: TOPOLOGY, faults: [], ...given, requests }, reference);
  await reference.close();
  return report.violations;
}

describe('a cluster', () => {
  it('gives a task to the very worker that waits for it, though each has a store of its own', async () => {
    const task: Call = { of: 'task', node: { id: 'task', ms: 5 } };
    const flow: Call = { of: 'flow', node: { id: 'flow', steps: [{ do: 'call', call: task }] } };
    expect(await violations({ calls: [flow] })).toEqual([]);
  });

  it.each([
    ['nothing is left of a call', 1],
    ['an equal call goes on', 2],
  ])('whose client cancels what waits for a slow store sees only what goes on: %s', async (_, calls) => {
    const task: Call = { of: 'task', node: { id: 'task', ms: 100 } };
    const topology: Topology = {
      ...TOPOLOGY,
      ...{ clients: [{ sendsRoots: false }], store: 'leases', storeLatencyMs: 60 },
    };
    for (let seed = 1; seed <= 20; seed += 1) {
      const scenario = { seed, topology, calls: Array.from({ length: calls }, () => task) };
      expect(await violations(scenario, 40), `seed ${seed}`).toEqual([]);
    }
  });
});
