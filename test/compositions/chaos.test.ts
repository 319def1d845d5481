import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { SMALL_PLAN, SMALL_PLAN_TASKS } from '../../examples/spam-sweep/test/small-plan.ts';
import { Cluster, type ClusterOptions } from './chaos/cluster.ts';
import { digestOf } from './chaos/digest.ts';
import { FaultPlan } from './chaos/fault-plan.ts';
import type { Entry } from './chaos/journal.ts';
import type { Member } from './chaos/member.ts';
import { type NetworkFault, NetworkPlan } from './chaos/network-plan.ts';
import { findAgain, judgeCluster } from './chaos/round.ts';
import { judge } from './chaos/verdict.ts';

/** Longer than nodes wait between two dials, so that none is given up because the service was away. */
const LEASE_MS = 6_000;

async function startCluster(options: Partial<ClusterOptions> = {}): Promise<Cluster> {
  const dir = await mkdtemp(join(tmpdir(), 'routine-chaos-'));
  const cluster = new Cluster({
    ...{
      dir,
      plan: SMALL_PLAN,
      workers: 3,
      slots: 1,
      leaseMs: LEASE_MS,
      sharesStore: true,
      rootOn: 'client',
    },
    ...options,
  });
  onTestFinished(async () => {
    await cluster.close();
    await rm(dir, { recursive: true });
  });
  await cluster.start();
  return cluster;
}

function memberOf({ workers }: Cluster, { pid }: { readonly pid: number }): Member {
  const found = workers.find((worker) => worker.pid === pid);
  if (!found) throw new Error(`no worker has the process ${pid}`);
  return found;
}

type Begun = Extract<Entry, { readonly type: 'begun' | 'ended' }>;
const begins =
  (name: string, isMeant: (entry: Begun) => boolean = () => true) =>
  (entry: Entry): entry is Begun =>
    entry.type === 'begun' && entry.name === name && isMeant(entry);

describe('the spam sweep on a service, three workers and a client', () => {
  it(
    'finds what the local run finds while they are killed, frozen and started again',
    { timeout: 120_000 },
    async () => {
      const cluster = await startCluster();
      const { journal } = cluster;
      const local = cluster.runLocally(
        join(cluster.store, '..', 'local'),
        join(cluster.store, '..', 'local-journal'),
      );
      onTestFinished(async () => void (await local));
      cluster.hold(['train']);
      const client = cluster.startClient();
      onTestFinished(() => void client.child.kill('SIGKILL'));

      const first = await journal.has(begins('train'));
      const killed = memberOf(cluster, first);
      await killed.kill();
      await killed.start();
      const second = await journal.has(begins('train', ({ pid }) => pid !== first.pid));
      const frozen = memberOf(cluster, second);
      frozen.freeze();
      cluster.hold(['trainFinal']);
      // Only when its lease has ended does anybody else begin what the frozen worker holds.
      await journal.has(begins('train', ({ task, pid }) => task === second.task && pid !== second.pid));
      frozen.wake();
      const last = await journal.has(begins('trainFinal'));
      await cluster.service.kill();
      await cluster.service.start();
      cluster.hold([]);

      const { code, stdout, stderr } = await client.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { stdout: expected } = await local;
      expect(digestOf(stdout, SMALL_PLAN)).toBe(digestOf(expected, SMALL_PLAN));
      await cluster.stop();
      expect(cluster.mishaps).toEqual([]);
      const verdict = await judgeCluster(cluster, SMALL_PLAN, 'client');
      expect(verdict).toMatchObject({ tasks: SMALL_PLAN_TASKS, violations: [] });
      expect(verdict.repeated).toMatchObject({ killed: 1, frozen: 1, unwanted: 0 });
      // What the service was killed over went on.
      expect(journal.entries.filter(begins('trainFinal'))).toEqual([last]);
      expect(await findAgain(cluster, stdout)).toEqual([]);
    },
  );
});

describe('the spam sweep over a network that goes wrong', () => {
  it(
    'finds what the local run finds while connections break in the middle of messages, fall silent and crawl',
    { timeout: 120_000 },
    async () => {
      const cluster = await startCluster({ isProxied: true });
      const { journal, network } = cluster;
      if (!network) throw new Error('there is no network');
      const aside = join(cluster.store, '..');
      const local = cluster.runLocally(join(aside, 'local'), join(aside, 'local-journal'));
      onTestFinished(async () => void (await local));
      cluster.hold(['evaluate', 'trainFinal']);
      const over = new AbortController();
      const plan = new NetworkPlan(7, LEASE_MS);
      let left = 30;
      const next = (nodes: number): NetworkFault => {
        left -= 1;
        if (left === 0) over.abort();
        return { ...plan.next(nodes), afterMs: 50 };
      };
      const befalling = network.befall({ next }, over.signal);
      const client = cluster.startClient();
      onTestFinished(() => void client.child.kill('SIGKILL'));

      await befalling;
      await journal.has(begins('evaluate'));
      expect(Object.values(network.counts).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(5);
      cluster.hold(['trainFinal']);
      const last = await journal.has(begins('trainFinal'));
      const partition = { ...plan.next(1), kind: 'partition', forMs: 60_000 } as const;
      const node = cluster.workers.indexOf(memberOf(cluster, last));
      const silent = new AbortController();
      const mended = network.befallNode(node, partition, silent.signal);
      // Only when its lease has ended does anybody else begin what the silent worker holds.
      await journal.has(begins('trainFinal', ({ pid }) => pid !== last.pid));
      silent.abort();
      await mended;
      cluster.hold([]);

      const { code, stdout, stderr } = await client.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      const { stdout: expected } = await local;
      expect(digestOf(stdout, SMALL_PLAN)).toBe(digestOf(expected, SMALL_PLAN));
      await cluster.stop();
      expect(cluster.mishaps).toEqual([]);
      const verdict = await judgeCluster(cluster, SMALL_PLAN, 'client');
      expect(verdict).toMatchObject({ tasks: SMALL_PLAN_TASKS, violations: [] });
      expect(verdict.repeated.silent).toBeGreaterThan(0);
      expect(await findAgain(cluster, stdout)).toEqual([]);
    },
  );
});

describe('the judge of a journal', () => {
  const KEPT_AT = 1_000_000;
  /** Asked for so many milliseconds before the result was there. */
  const runOf = (name: string, before = 10): string =>
    `${(KEPT_AT - before).toString(16).padStart(12, '0')}-${name}`;
  const first = runOf('first');
  const begun = (pid: number, runId = first, at = KEPT_AT + 5): Entry => ({
    ...{ type: 'begun', name: 'train', attempt: 1, task: 'train a' },
    ...{ runId, pid, at },
  });
  const kept: Entry = { type: 'kept', key: 'key-1', outcome: 'stored', pid: 1, at: KEPT_AT };
  const expected = { stored: new Map([['key-1', first]]), planned: 1, rootOn: 'client' } as const;

  it.each<[string, readonly Entry[], RegExp]>([
    [
      'what was finished and began again',
      [begun(1), kept, begun(2)],
      /was finished, and began again in process 2/,
    ],
    ['what began again for nothing', [begun(1), begun(2), kept], /though nothing had befallen it/],
    [
      'what began again for the end of another',
      [begun(1), { type: 'killed', role: 'worker', pid: 3 }, begun(2), kept],
      /though nothing had befallen it/,
    ],
    [
      'what began again because nothing came of another worker',
      [begun(1), { type: 'silent', role: 'worker', pid: 3 }, begun(2), kept],
      /though nothing had befallen it/,
    ],
    [
      'what began again because the service was killed',
      [begun(1), { type: 'killed', role: 'service', pid: 3 }, begun(2), kept],
      /though nothing had befallen it/,
    ],
  ])('finds %s', (_what, entries, message) => {
    expect(judge(entries, expected).violations).toContainEqual(expect.stringMatching(message));
  });

  it('finds that a result is missing', () => {
    expect(judge([begun(1)], { ...expected, stored: new Map() }).violations).toEqual([
      '0 results are kept, and not 1',
    ]);
  });

  it.each<[string, readonly Entry[], object]>([
    [
      'its process was killed',
      [begun(1), { type: 'killed', role: 'worker', pid: 1 }, begun(2), kept],
      { killed: 1 },
    ],
    [
      'its process was frozen',
      [begun(1), { type: 'frozen', role: 'worker', pid: 1 }, begun(2), kept],
      { frozen: 1 },
    ],
    [
      'the network let nothing of its process pass',
      [begun(1), { type: 'silent', role: 'worker', pid: 1 }, begun(2), kept],
      { silent: 1 },
    ],
    [
      'its client was away for too long',
      [begun(1), { type: 'silent', role: 'client', pid: 3 }, begun(2), kept],
      { unwanted: 1 },
    ],
    [
      'nobody wanted it any more',
      [begun(1), { type: 'killed', role: 'client', pid: 3 }, begun(2, runOf('second')), kept],
      { unwanted: 1 },
    ],
    [
      'the result of a run that nobody wanted any more came just then',
      [begun(1), { type: 'killed', role: 'client', pid: 3 }, kept, begun(2, runOf('second'))],
      { crossed: 1 },
    ],
  ])('takes it that a task began again when %s', (_why, entries, repeated) => {
    expect(judge(entries, expected)).toMatchObject({ violations: [], begun: 2, repeated });
  });
});

describe('a plan of faults', () => {
  it('is the same for the same seed, and another for another', () => {
    const faultsOf = (seed: number): object[] => {
      const plans = [new FaultPlan(seed, 10_000), new NetworkPlan(seed, 10_000)];
      return Array.from({ length: 50 }, () => plans.map((plan) => plan.next(3)));
    };
    expect(faultsOf(7)).toEqual(faultsOf(7));
    expect(faultsOf(7)).not.toEqual(faultsOf(8));
  });
});
