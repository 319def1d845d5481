import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';
import type { Lifecycle, RunHandle } from '@routine-engine/core';
import type { Cluster } from './cluster.ts';
import type { Journal } from './journal.ts';
import { outcomeOf } from './reference.ts';
import { at } from './place.ts';
import { make, numberOf, submit } from './routines.ts';
import type { Topology } from './topology.ts';
import type { TreeOutcome } from './tree-value.ts';
import type { TreeGenerator } from './tree-generator.ts';
import type { Call } from './tree.ts';

/** A call that a client makes at some time, and what comes of it. */
export interface Request {
  readonly client: string;
  readonly atMs: number;
  readonly call: Call;
  /** It is cancelled so long after it was made. */
  readonly cancelAfterMs: number | undefined;
  /** It is submitted, and its result had by its handle. */
  readonly isSubmitted?: boolean;
  /** `void`: the client that made it, or would have, is gone. */
  state: 'planned' | 'made' | 'settled' | 'void';
  outcome: TreeOutcome | undefined;
  settledAt?: number;
}

export function drawRequests(
  random: SeededRandom,
  topology: Topology,
  trees: TreeGenerator,
  withinMs: number,
): Request[] {
  // All at once, they have to wait for workers.
  const isBurst = random.chance(0.5);
  const burstAtMs = random.integer(0, withinMs / 2);
  return Array.from({ length: isBurst ? random.integer(3, 6) : random.integer(1, 4) }, () => ({
    client: `client-${random.integer(1, topology.clients.length)}`,
    atMs: isBurst ? burstAtMs + random.integer(0, 20) : random.integer(0, withinMs),
    call: trees.root(),
    cancelAfterMs: random.chance(0.12) ? random.integer(0, 1_000) : undefined,
    isSubmitted: random.chance(0.3),
    state: 'planned',
    outcome: undefined,
  }));
}

/** Makes a request now: by its client if that is up and runs, else as soon as it is. */
export function makeRequest(request: Request, cluster: Cluster): void {
  const { host } = cluster.clientOf(request.client);
  if (!host) return void cluster.clock.after(500, () => makeRequest(request, cluster));
  const { process, lifecycle, place } = host;
  process.onDeath(() => {
    if (request.state !== 'settled') request.state = 'void';
  });
  process.nextTurn(() => {
    request.state = 'made';
    const controller = new AbortController();
    const { cancelAfterMs } = request;
    const timer =
      cancelAfterMs === undefined ? undefined : process.after(cancelAfterMs, () => controller.abort());
    const { signal } = controller;
    const start = (): Promise<number> =>
      request.isSubmitted
        ? submitted(request.call, lifecycle, signal, cluster.journal)
        : make(request.call, { signal });
    const called = at(place, () => lifecycle.run(start));
    void outcomeOf(called).then((outcome) => {
      timer?.cancel();
      // What is told once it is dead is told to nobody.
      if (process.state === 'dead') return;
      if (request.outcome) cluster.journal.violate(`A request of ${request.client} settled twice`);
      request.outcome = outcome;
      request.settledAt = cluster.clock.monotonic();
      request.state = 'settled';
    });
  });
}

/** The handle of a run, and whoever asks for the run by its id, give what came of it. */
async function submitted(
  call: Call,
  lifecycle: Lifecycle,
  signal: AbortSignal,
  journal: Journal,
): Promise<number> {
  const handle = submit(call, { signal });
  const outcome = await outcomeOf(handle.result().then(numberOf));
  journal.seen.add('submitted by a client');
  const isCancelled = outcome.status === 'FAILED' && outcome.code === 'RUN_CANCELLED';
  const status = isCancelled ? 'CANCELLED' : outcome.status;
  if (handle.status !== status)
    journal.violate(`${handle.runId} is ${status}, and told to be ${handle.status}`);
  // A stream is read once.
  const found = await lifecycle.runs.get(handle.runId);
  const again = call.of !== 'flow' && call.node.streams ? outcome : await outcomeOf(resultOf(found));
  if (JSON.stringify(again) !== JSON.stringify(outcome))
    journal.violate(
      `${handle.runId} came to ${JSON.stringify(outcome)}, and by its id to ${JSON.stringify(again)}`,
    );
  if (outcome.status === 'DONE') return outcome.value;
  throw Object.assign(new Error(handle.runId), { code: outcome.code });
}

async function resultOf(handle: RunHandle<unknown> | undefined): Promise<number> {
  return numberOf(await handle?.result());
}
