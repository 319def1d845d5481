import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';
import type { Cluster } from './cluster.ts';
import { outcomeOf } from './reference.ts';
import { at, make } from './routines.ts';
import type { Topology } from './topology.ts';
import type { TreeOutcome } from './tree-value.ts';
import type { Call, TreeGenerator } from './tree.ts';

/** A call that a client makes at some time, and what comes of it. */
export interface Request {
  readonly client: string;
  readonly atMs: number;
  readonly call: Call;
  /** It is cancelled so long after it was made. */
  readonly cancelAfterMs: number | undefined;
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
  return Array.from({ length: random.integer(1, 4) }, () => ({
    client: `client-${random.integer(1, topology.clients.length)}`,
    atMs: random.integer(0, withinMs),
    call: trees.root(),
    cancelAfterMs: random.chance(0.12) ? random.integer(0, 1_000) : undefined,
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
    const called = at(place, () => lifecycle.run(() => make(request.call, { signal: controller.signal })));
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
