import type { Cluster } from './cluster.ts';
import { valueOf } from './tree-value.ts';
import { workOf } from './tree.ts';
import type { Fault, FaultKind, FaultPlan } from './fault-plan.ts';
import type { Journal } from './journal.ts';
import type { Reference } from './reference.ts';
import type { Request } from './requests.ts';

/** What is not counted of a time that is prompt, in milliseconds: less than it takes to the next beat. */
const PROMPT_MS = 1_000;

/** What each request came to is what the local engine gives; a cancelled one may also have been cancelled. */
export async function checkOutcomes(
  requests: readonly Request[],
  cluster: Cluster,
  reference: Reference,
): Promise<void> {
  for (const { state, outcome, call, client, cancelAfterMs } of requests) {
    if (state === 'void') continue;
    const name = `${call.of} ${call.node.id} of ${client}`;
    if (!outcome) {
      cluster.journal.violate(`${name} never settled (${state})`);
      continue;
    }
    const wasCancelled = outcome.status === 'FAILED' && outcome.code === 'RUN_CANCELLED';
    if (wasCancelled && cancelAfterMs !== undefined) continue;
    // What is too large for its directive is read from the store, by whoever is given it.
    if (outcome.status === 'FAILED' && outcome.code === 'STORE_UNREACHABLE' && cluster.storage.failures > 0)
      continue;
    const right = JSON.stringify(valueOf(call));
    const expected = JSON.stringify(await reference.outcomeOf(call));
    if (expected !== right)
      cluster.journal.violate(`${name} came locally to ${expected}, and should to ${right}`);
    const found = JSON.stringify(outcome);
    if (found !== expected) cluster.journal.violate(`${name} came to ${found}, and locally to ${expected}`);
  }
}

/** Every run that a living node told of has ended, with nothing after it. */
export function checkStories({ journal, seats }: Cluster): void {
  const living = new Set(seats.map(({ name, starts }) => `${name}#${starts}`));
  for (const { runId, routineId, node, events, endedAt } of journal.stories.values()) {
    if (endedAt === undefined && living.has(node))
      journal.violate(`${routineId} ${runId} of ${node} was told without an end: ${events.join(' ')}`);
  }
}

/**
 * Where nothing goes wrong, calls take no longer than they would one after the other: whoever waits for a worker hears at once
 * when one is free, and not with the next beat.
 */
export function checkPromptness(
  requests: readonly Request[],
  { journal, topology }: Cluster,
  lastAnswerAt: number,
): void {
  // Those who wait for a lease of the store look from time to time.
  if (topology.store === 'leases') return;
  const hopMs = 16 * topology.delayMs + 8 * topology.storeLatencyMs + 1;
  const startMs = 20 * topology.delayMs;
  let mostMs = startMs;
  for (const { atMs, call } of requests.toSorted((one, other) => one.atMs - other.atMs))
    mostMs = Math.max(mostMs, startMs + atMs) + workOf(call, hopMs);
  if (lastAnswerAt > mostMs + PROMPT_MS)
    journal.violate(`All was answered after ${lastAnswerAt} ms, and should have been after ${mostMs}`);
}

const LOSES_NOBODY: ReadonlySet<FaultKind> = new Set(['cut', 'jump', 'store-fails']);

function losesNobody(fault: Fault): boolean {
  if (fault.kind === 'crash') return fault.node === 'service';
  if (fault.kind !== 'conditions') return LOSES_NOBODY.has(fault.kind);
  // A handshake that loses a message takes as long as a lease, and a node that greets twice is dropped.
  const { lossRate, reorderingRate, duplicationRate } = fault.conditions;
  return !lossRate && !reorderingRate && !duplicationRate;
}

/** Where nobody is lost, no body runs twice, save one that failed and is tried again: whatever connections and service do. */
export function checkOnce(faults: FaultPlan, { journal }: Cluster): void {
  if (!faults.every(({ fault }) => losesNobody(fault))) return;
  const begun = new Map<string, number>();
  for (const { runId, nodeId, process, at, isRetried } of journal.executions) {
    const times = (begun.get(runId) ?? 0) + 1;
    begun.set(runId, times);
    if (times > 1 && !isRetried) journal.violate(`${nodeId} ${runId} was run again by ${process} at ${at}`);
  }
}

/** A task whose result is in a healthy store that all share is not run for a call that was made afterwards. */
export function checkRemembered({ journal, topology, storage, workers }: Cluster): void {
  const knowsAll =
    topology.store !== 'own' && workers.every((_, index) => topology.workers[index]?.remembers);
  if (!knowsAll || storage.failures > 0) return;
  for (const { runId, nodeId, process, at } of journal.executions) {
    const story = journal.stories.get(runId);
    const putAt = journal.puts.get(nodeId);
    if (!story?.routineId.includes('simulated-task')) continue;
    if (story.isForgotten) journal.violate(`${nodeId} ${runId} was answered, and its result not kept`);
    if (putAt === undefined) continue;
    if (story.requestedAt > putAt)
      journal.violate(
        `${nodeId} ${runId} was run by ${process} at ${at}, though its result was kept at ${putAt}`,
      );
  }
}

/** Nothing is left of what is over. */
export function checkIdle({ service, workers, clients, journal, seats, storage }: Cluster): void {
  const { workers: known, ...left } = service.host?.service.counts ?? { workers: 0 };
  if (known !== workers.length)
    journal.violate(`The service knows ${known} workers, and there are ${workers.length}`);
  checkNone('The service', left, journal);
  for (const { name, host } of workers) {
    if (!host) journal.violate(`${name} is not up`);
    checkNone(name, host?.worker.counts ?? {}, journal);
    host?.worker.status$
      .subscribe((status) => {
        if (status !== 'IDLE') journal.violate(`${name} is ${status}`);
      })
      .unsubscribe();
  }
  for (const { name, host } of clients) {
    const current = host?.lifecycle.engine.current.length ?? 0;
    if (current > 0) journal.violate(`${name} still has ${current} runs`);
  }
  // Who died with a lease, or could not reach the store, could not give it back.
  for (const { process } of storage.leases.values())
    if (process.state !== 'dead' && storage.failures === 0)
      journal.violate(`${process.name} still has a lease of the store`);
  for (const { name, process } of seats) {
    // Of the service its next beat, and of a node at most the next look at what it heard of the service.
    const timers = process?.timers ?? 0;
    if (timers > 2) journal.violate(`${name} still has ${timers} timers`);
  }
}

function checkNone(node: string, counts: object, journal: Journal): void {
  for (const [what, count] of Object.entries(counts))
    if (count !== 0) journal.violate(`${node} still has ${what}: ${count}`);
}

/** Nothing is left of a cluster that was shut down. */
export function checkClosed({ journal, network, seats }: Cluster): void {
  for (const { name, process } of seats) {
    const timers = process?.timers ?? 0;
    if (timers > 0) journal.violate(`${name} was shut down and still has ${timers} timers`);
  }
  if (network.openEnds > 0) journal.violate(`${network.openEnds} ends of connections are still open`);
}
