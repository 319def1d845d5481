// One process of `npm run chaos`: sweeps on clusters of real processes whose members are killed and frozen, and whose network
// goes wrong if that is asked for, until its time is over, and prints what became of it.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { SweepPlan } from '../../../examples/spam-sweep/src/sweep.ts';
import { Cluster, type ClusterOptions } from './cluster.ts';
import { digestOf } from './digest.ts';
import { FaultPlan } from './fault-plan.ts';
import { NetworkPlan } from './network-plan.ts';
import { Round } from './round.ts';
import { Tally } from './tally.ts';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    'lease-ms': { type: 'string', default: '10000' },
    keep: { type: 'boolean', default: false },
    network: { type: 'boolean', default: false },
  },
});

const seed = Number(options.seed);
const leaseMs = Number(options['lease-ms']);
const endAt = performance.now() + Number(options.minutes) * 60_000;
/** How long one sweep may take. */
const ROUND_LIMIT_MS = 600_000;

/** 51 tasks of up to half a second each. */
const planOf = (planSeed: number): SweepPlan => ({
  corpus: { every: 2, maxMailBytes: 4096 },
  ngrams: { minLength: 4, maxLength: 4, bucketBits: 14 },
  folds: 4,
  grid: [0, 1e-6].flatMap((l2) => [2, 5, 10].map((learningRate) => ({ learningRate, l2, epochs: 60 }))),
  seed: planSeed,
});

/** By the seed of the plan: what one process finds. */
const expected = new Map<number, string>();
const tally = new Tally();

for (let round = 0; performance.now() < endAt; round += 1) {
  const dir = await mkdtemp(join(tmpdir(), 'routine-chaos-'));
  const faults = new FaultPlan(seed * 10_000 + round, leaseMs);
  const setup = faults.choose<Pick<ClusterOptions, 'sharesStore' | 'rootOn'>>([
    { sharesStore: true, rootOn: 'client' },
    { sharesStore: true, rootOn: 'worker' },
    { sharesStore: false, rootOn: 'client' },
  ]);
  const slots = faults.choose([1, 2]);
  const plan = planOf(faults.choose([1, 2]));
  const isProxied = options.network;
  const cluster = new Cluster({ dir, plan, workers: 3, slots, leaseMs, isProxied, ...setup });
  const network = isProxied ? new NetworkPlan(seed * 10_000 + round, leaseMs) : undefined;
  const startedAt = performance.now();
  if (!expected.has(plan.seed)) expected.set(plan.seed, await locally(cluster, plan));
  const report = await new Round(cluster, { faults, network }).run(plan, setup.rootOn, ROUND_LIMIT_MS);
  await cluster.close();
  const seconds = (performance.now() - startedAt) / 1000;
  const isSame = report.digest === expected.get(plan.seed);
  const violations = [...report.violations, ...(isSame ? [] : ['the digest is not that of the local run'])];
  tally.add({ ...report, violations }, { round, slots, seconds, ...setup });
  if (violations.length === 0 && !options.keep) await rm(dir, { recursive: true });
  else process.stderr.write(`kept for a look: ${dir}\n`);
}
console.log(tally.text(seed, leaseMs));
process.exitCode = tally.hasViolations ? 1 : 0;

/** The digest of the same sweep in one process, which neither journal nor store of the cluster hear of. */
async function locally(cluster: Cluster, plan: SweepPlan): Promise<string> {
  const store = await mkdtemp(join(tmpdir(), 'routine-chaos-'));
  const { code, stdout, stderr } = await cluster.runLocally(store, join(store, 'journal'));
  await rm(store, { recursive: true });
  if (code !== 0) throw new Error(`the local run ended with ${code}:\n${stderr}`);
  return digestOf(stdout, plan);
}
