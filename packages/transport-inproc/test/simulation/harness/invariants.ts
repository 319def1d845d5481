import type { Cluster } from './cluster.ts';
import type { Fault, FaultKind, FaultPlan } from './fault-plan.ts';
import { isToBeAnswered, type Drained, type Execution, type Journal } from './journal.ts';
import type { Reference } from './reference.ts';
import type { Request } from './requests.ts';
import { HANDLER_FAILED } from './routines.ts';
import { mayRun, workerOf, type Topology } from './topology.ts';
import { valueOf } from './tree-value.ts';
import { callsOf, workOf, type Call, type Flow, type Leaf } from './tree.ts';

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
  // Those who wait for a lease of the store look from time to time, and so do those for whom the queue is full.
  if (topology.store === 'leases' || topology.queuedRuns !== undefined) return;
  const hopMs = 16 * topology.delayMs + 8 * topology.storeLatencyMs + 1;
  const startMs = 20 * topology.delayMs;
  let mostMs = startMs;
  for (const { atMs, call } of requests.toSorted((one, other) => one.atMs - other.atMs))
    mostMs = Math.max(mostMs, startMs + atMs) + workOf(call, hopMs);
  if (lastAnswerAt > mostMs + PROMPT_MS)
    journal.violate(`All was answered after ${lastAnswerAt} ms, and should have been after ${mostMs}`);
}

/** Whether nothing goes wrong that has runs be placed again, or directives be lost. */
export function isCalm(faults: FaultPlan): boolean {
  return faults.every(({ fault }) => isHarmless(fault));
}

function isHarmless({ kind }: Fault): boolean {
  return kind === 'jump' || kind === 'store-fails';
}

const LOSES_NOBODY: ReadonlySet<FaultKind> = new Set(['cut', 'jump', 'store-fails', 'drain']);

function losesNobody(fault: Fault): boolean {
  if (fault.kind === 'crash') return fault.node === 'service';
  if (fault.kind !== 'conditions') return LOSES_NOBODY.has(fault.kind);
  // A handshake that loses a message takes as long as a lease, and a node that greets twice is dropped.
  const { lossRate, reorderingRate, duplicationRate } = fault.conditions;
  return !lossRate && !reorderingRate && !duplicationRate;
}

/**
 * Where nobody is lost, no body runs twice, save one that failed and is tried again, or that its worker gave back since it
 * was to stop: whatever connections and service do.
 */
export function checkOnce(faults: FaultPlan, { journal, topology }: Cluster): void {
  const kinds = new Set(faults.map(({ fault }) => fault.kind));
  // What a worker can't tell before it ends is lost with it.
  const endsUnheard = kinds.has('drain') && (kinds.has('cut') || kinds.has('crash'));
  // A service that is started by a clock that went back may give a lease that a worker still holds to another run.
  const repeatsLeases =
    kinds.has('crash') && faults.some(({ fault }) => fault.kind === 'jump' && fault.ms < 0);
  const isStrict = faults.every(({ fault }) => losesNobody(fault)) && !endsUnheard && !repeatsLeases;
  const begun = new Map<string, Execution>();
  for (const execution of journal.executions) {
    const { runId, node, process, at } = execution;
    const before = begun.get(runId);
    begun.set(runId, execution);
    if (!before || isTriedAgain(node)) continue;
    if (wasGivenBack(before, journal.drained.get(before.process), topology))
      journal.seen.add('given back by a worker that drains');
    else if (isStrict) journal.violate(`${node.id} ${runId} was run again by ${process} at ${at}`);
  }
}

function isTriedAgain(node: Leaf | Flow): boolean {
  return 'ms' in node && (node.failsFirst ?? node.endlessFirst ?? node.attemptTimeoutMs) !== undefined;
}

/** Whether an execution would not have ended within the grace of its worker. */
function wasGivenBack(
  { at, node }: Execution,
  drained: Drained | undefined,
  { storeLatencyMs }: Topology,
): boolean {
  if (!drained || at > drained.at + drained.graceMs) return false;
  const isShort = 'ms' in node && !node.endless && !node.gives && !node.given;
  return !isShort || at + node.ms + 4 * storeLatencyMs >= drained.at + drained.graceMs;
}

/** Where nothing goes wrong, equal calls that are under way at once are one run. */
export function checkShared(requests: readonly Request[], { journal }: Cluster): void {
  const last = new Map<string, Execution>();
  // Who may wait for a worker only so long has a run of his own.
  const hurried = new Set(requests.flatMap(({ call }) => [...hurriedIn(call)]));
  for (const execution of journal.executions) {
    const { node, at, runId, process } = execution;
    if (!journal.stories.get(runId)?.routineId.includes('simulated-task') || !process.startsWith('worker'))
      continue;
    if (hurried.has(node.id)) continue;
    const before = last.get(node.id);
    last.set(node.id, execution);
    if (before && !before.wasCancelled && (before.endedAt ?? Number.POSITIVE_INFINITY) > at)
      journal.violate(`${node.id} was run as ${before.runId} and at the same time as ${runId}`);
  }
}

function* hurriedIn(call: Call): Generator<string> {
  if (call.of !== 'flow') {
    if (call.queueTimeoutMs !== undefined) yield call.node.id;
    return;
  }
  for (const step of call.node.steps) for (const each of callsOf(step)) yield* hurriedIn(each);
}

/** A body runs where its labels and the version of its routine allow, with the priority that it was given or inherits. */
export function checkPlaces(requests: readonly Request[], { journal, topology }: Cluster): void {
  const priorities = new Map<string, Set<number>>();
  for (const { call } of requests) notePriorities(call, 0, priorities);
  for (const { node, process, runId } of journal.executions) {
    const priority = journal.priorities.get(runId);
    if (priority !== undefined && !priorities.get(node.id)?.has(priority))
      journal.violate(
        `${node.id} ${runId} had priority ${priority}, not ${[...(priorities.get(node.id) ?? [])].join()}`,
      );
    const worker = workerOf(topology, process);
    if (!worker) continue;
    const routineId = journal.stories.get(runId)?.routineId ?? '';
    const zone = 'ms' in node ? node.zone : undefined;
    if (zone) journal.seen.add('labels');
    if (routineId.endsWith(':2.0.0')) journal.seen.add('version that few offer');
    if (!mayRun(worker, { routineId, ...(zone && { labels: { zone } }) }))
      journal.violate(`${node.id} ${runId} was run by ${process}, which may not have it`);
  }
}

function notePriorities(call: Call, inherited: number, priorities: Map<string, Set<number>>): void {
  const { priority = inherited, node } = call;
  priorities.set(node.id, (priorities.get(node.id) ?? new Set()).add(priority));
  if (call.of !== 'flow') return;
  for (const step of call.node.steps)
    for (const each of callsOf(step)) notePriorities(each, priority, priorities);
}

/**
 * Each end of a run with a trigger is answered, whatever becomes of the node that told of it, unless that was killed, or was
 * to stop when the service could not hear of it or had just refused it.
 */
export function checkTriggers(faults: FaultPlan, { journal, storage, topology }: Cluster): void {
  // What the service is asked for it takes.
  const isInOrder = faults.every(({ fault }) => fault.kind !== 'conditions' || losesNobody(fault));
  const isHeard = faults.every(({ fault }) => fault.kind === 'drain' || isHarmless(fault));
  const mayForget = !isHeard || topology.queuedRuns !== undefined;
  for (const story of journal.stories.values()) {
    const { runId, routineId, node, events } = story;
    const isLost = journal.killed.has(node) || (journal.drained.has(node) && mayForget);
    if (isToBeAnswered(story) && !isLost && !journal.handlers.has(runId))
      journal.violate(`${runId} of ${node} ended with ${events.at(-1)}, and was not answered`);
    const isHandler = routineId.includes('on-simulated-watched');
    if (
      isHandler &&
      events.at(-1) === 'run.failed' &&
      !journal.failedHandlers.some((each) => each.runId === runId)
    )
      journal.violate(`The handler ${runId} failed, and nobody was told`);
  }
  if (isInOrder && topology.queuedRuns === undefined)
    for (const [runId, triggeredBy] of journal.takenHandlers)
      if (!journal.handlers.has(triggeredBy)) journal.violate(`The handler ${runId} was never run`);
  // What only the worker of a run keeps can't be read where its handler runs.
  if (!isCalm(faults) || storage.failures > 0 || topology.store === 'own') return;
  for (const { runId, error } of journal.failedHandlers)
    if (error.code !== HANDLER_FAILED) journal.violate(`The handler ${runId} failed: ${error.message}`);
}

/** Of what clients run themselves, the service knows all that goes on, and nothing else. */
export function checkAnnounced({ journal, topology, service, clock }: Cluster): void {
  const slackMs = 4 * topology.delayMs + 1;
  const now = clock.monotonic();
  const announced = new Set(service.host?.service.announcedRuns.map(({ runId }) => runId));
  for (const { runId, routineId, node, isRoot, begunAt, endedAt } of journal.stories.values()) {
    const client = topology.clients[Number(/^client-(\d+)/.exec(node)?.[1]) - 1];
    if (!client || client.sendsRoots || !isRoot || !routineId.includes('simulated-flow')) continue;
    if (begunAt === undefined || begunAt + slackMs > now) continue;
    if (endedAt === undefined && !announced.has(runId))
      journal.violate(`${runId} goes on at ${node}, and is not seen`);
    if (endedAt === undefined) journal.seen.add('announced local run');
    else if (endedAt + slackMs < now && announced.has(runId))
      journal.violate(`${runId} of ${node} is over, and is seen`);
  }
}

/** A task whose result is in a healthy store that all share is not run for a call that was made afterwards. */
export function checkRemembered({ journal, topology, storage, workers }: Cluster): void {
  const knowsAll =
    topology.store !== 'own' && workers.every((_, index) => topology.workers[index]?.remembers);
  if (!knowsAll || storage.failures > 0) return;
  for (const { runId, node, process, at } of journal.executions) {
    const nodeId = node.id;
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
  checkNone('The service', { ...left, announced: service.host?.service.announcedRuns.length ?? 0 }, journal);
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
    // Of the service its next beat; of a node at most the next look at what it heard of the service, and when it forgets
    // the runs that were submitted.
    const timers = process?.timers ?? 0;
    if (timers > 3) journal.violate(`${name} still has ${timers} timers`);
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
