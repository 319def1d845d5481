import type { Cluster } from './cluster.ts';
import type { Journal } from './journal.ts';
import type { Reference } from './reference.ts';
import type { Request } from './requests.ts';

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
    const expected = JSON.stringify(await reference.outcomeOf(call));
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

/** A task whose result is in a healthy store that all share is not run for a call that was made afterwards. */
export function checkRemembered({ journal, topology, storage, workers }: Cluster): void {
  const knowsAll =
    topology.store !== 'own' && workers.every((_, index) => topology.workers[index]?.remembers);
  if (!knowsAll || storage.failures > 0) return;
  for (const { runId, nodeId, process, at } of journal.executions) {
    const story = journal.stories.get(runId);
    const putAt = journal.puts.get(nodeId);
    if (!story?.routineId.includes('simulated-task') || putAt === undefined) continue;
    if (story.requestedAt > putAt)
      journal.violate(
        `${nodeId} ${runId} was run by ${process} at ${at}, though its result was kept at ${putAt}`,
      );
  }
}

/** Nothing is left of what is over. */
export function checkIdle({ service, workers, clients, journal, seats }: Cluster): void {
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
export function checkClosed({ journal, network, seats, storage }: Cluster): void {
  for (const { name, process } of seats) {
    const timers = process?.timers ?? 0;
    if (timers > 0) journal.violate(`${name} was shut down and still has ${timers} timers`);
  }
  if (network.openEnds > 0) journal.violate(`${network.openEnds} ends of connections are still open`);
  if (storage.leases.size > 0 && journal.executions.length === 0) journal.violate('A lease is left');
}
