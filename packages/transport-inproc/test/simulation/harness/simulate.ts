import { LIMITS } from '@routine-engine/core/adapter';
import {
  SeededRandom,
  SimulatedClock,
  type NetworkFaults,
} from '@routine-engine/transport-inproc/simulation';
import { Cluster } from './cluster.ts';
import { FaultPlanner, inject, type FaultKind, type FaultPlan } from './fault-plan.ts';
import {
  checkAnnounced,
  checkClosed,
  checkIdle,
  checkOnce,
  checkOutcomes,
  checkPlaces,
  checkPromptness,
  checkRemembered,
  checkShared,
  checkStories,
  checkTriggers,
  isCalm,
} from './invariants.ts';
import type { Feature } from './journal.ts';
import type { Reference } from './reference.ts';
import { drawRequests, makeRequest, type Request } from './requests.ts';
import { drawTopology, zonesOf, type Topology } from './topology.ts';
import { TreeGenerator, type TreeShape } from './tree-generator.ts';

/** Everything that one seed stands for. */
export interface Scenario {
  readonly seed: number;
  readonly topology: Topology;
  readonly requests: readonly Request[];
  readonly faults: FaultPlan;
}

/** What one simulation came to. */
export interface Report {
  readonly seed: number;
  /** Empty when everything held. */
  readonly violations: readonly string[];
  readonly executions: number;
  readonly events: number;
  readonly virtualMs: number;
  /** What happened in it. */
  readonly seen: readonly Feature[];
  readonly injected: Partial<Record<FaultKind, number>>;
  readonly network: NetworkFaults;
}

/** Milliseconds in which requests are made and faults happen. */
const WITHIN_MS = 6_000;
/** When it is looked at what the service knows of runs elsewhere, in milliseconds from the start. */
const LOOKS_AT_MS = [500, 1_500, 2_500, 3_500, 4_500, 5_500];
/** How long everything may take once it is well again, in milliseconds. */
const SETTLE_MS = 600_000;
/** After the last answer: longer than any lease, so that what only time removes is gone. */
const QUIET_MS = 45_000;

/** Draws the scenario of a seed. */
export function scenarioOf(seed: number): Scenario {
  const random = new SeededRandom(seed);
  const topology = drawTopology(random.fork('topology'));
  const trees = new TreeGenerator(random.fork('trees'), shapeOf(random.fork('shape'), topology), `${seed}`);
  return {
    seed,
    topology,
    requests: drawRequests(random.fork('requests'), topology, trees, WITHIN_MS),
    faults: new FaultPlanner(random.fork('faults'), topology).plan(WITHIN_MS),
  };
}

function shapeOf(random: SeededRandom, topology: Topology): TreeShape {
  return {
    runs: random.pick([4, 8, 8, 16, 40]),
    depth: random.integer(1, 6),
    large: random.chance(0.05),
    leafMs: random.pick([1, 20, 200, 2_000]),
    zones: zonesOf(topology),
  };
}

/**
 * Runs a scenario to its end: faults and requests, then a time in which everything is well, then quiet, then shutting down.
 * @param trace - hears each thing that happens.
 */
export async function simulate(
  scenario: Scenario,
  reference: Reference,
  trace?: (line: string) => void,
): Promise<Report> {
  const { seed, topology, requests, faults } = scenario;
  const clock = new SimulatedClock(trace ? { trace } : {});
  const cluster = new Cluster(clock, new SeededRandom(seed).fork('cluster'), topology, isCalm(faults));
  const injected: Partial<Record<FaultKind, number>> = {};
  await cluster.start();
  const startedAt = clock.monotonic();
  for (const request of requests) clock.after(request.atMs, () => makeRequest(request, cluster));
  for (const { atMs, fault } of faults) {
    clock.after(atMs, () => {
      injected[fault.kind] = (injected[fault.kind] ?? 0) + 1;
      inject(fault, cluster);
    });
  }
  if (isCalm(faults)) for (const atMs of LOOKS_AT_MS) clock.after(atMs, () => checkAnnounced(cluster));
  await clock.advance(WITHIN_MS);
  cluster.heal();
  await clock.run({ until: () => requests.every(isOver) && cluster.isUp, forMs: SETTLE_MS });
  const lastAnswerAt = Math.max(0, ...requests.map(({ settledAt }) => settledAt ?? 0));
  if (faults.length === 0) checkPromptness(requests, cluster, lastAnswerAt - startedAt);
  await clock.advance(QUIET_MS);
  // What waits for arguments of a worker that has left is given up only then.
  if (faults.some(({ fault }) => fault.kind === 'drain'))
    await clock.run({ until: () => cluster.service.host?.service.runsInHand === 0, forMs: LIMITS.resendMs });
  checkIdle(cluster);
  checkStories(cluster);
  checkRemembered(cluster);
  checkOnce(faults, cluster);
  if (isCalm(faults)) checkShared(requests, cluster);
  if (topology.workers.some(({ acceptsWork }) => acceptsWork === false))
    cluster.journal.seen.add('worker that accepts no work');
  checkPlaces(requests, cluster);
  checkTriggers(faults, cluster);
  await cluster.close();
  await clock.advance(QUIET_MS);
  checkClosed(cluster);
  cluster.abandon();
  await checkOutcomes(requests, cluster, reference);
  const { journal, network } = cluster;
  return {
    ...{ seed, injected, violations: journal.violations, executions: journal.executions.length },
    ...{
      seen: [...journal.seen],
      events: clock.happened,
      virtualMs: clock.monotonic(),
      network: network.faults,
    },
  };
}

function isOver({ state }: Request): boolean {
  return state === 'settled' || state === 'void';
}
