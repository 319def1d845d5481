import type { HeartbeatLimits } from '@routine-engine/core/host';
import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';
import type { Zone } from './tree.ts';

export interface WorkerOptions {
  readonly slots: number;
  readonly inbox: number;
  readonly remembers: boolean;
  /** Absent: it has no labels. */
  readonly zone?: Zone | undefined;
  /** Whether it offers the newer version of the task, too. */
  readonly hasNewer?: boolean;
  readonly acceptsWork?: boolean;
}

/** How a cluster is made. */
export interface Topology {
  readonly workers: readonly WorkerOptions[];
  readonly clients: readonly { readonly sendsRoots: boolean }[];
  /** `leases`: equal calls of several processes share one run. */
  readonly store: 'own' | 'shared' | 'leases';
  /** How many runs may wait at the service. */
  readonly queuedRuns?: number | undefined;
  readonly heartbeat: Required<HeartbeatLimits>;
  /** Longest delay of a good link, in milliseconds. */
  readonly delayMs: number;
  readonly storeLatencyMs: number;
}

export function drawTopology(random: SeededRandom): Topology {
  const many = <T>(most: number, draw: (index: number) => T): T[] =>
    Array.from({ length: random.integer(1, most) }, (_, index) => draw(index));
  const hasInboxes = random.chance(0.4);
  const workers = many(4, () => ({
    slots: random.pick([1, 1, 1, 2, 4]),
    inbox: hasInboxes ? random.pick([0, 1, 128]) : 0,
    remembers: random.chance(0.8),
    zone: random.pick<Zone | undefined>([undefined, 'east', 'west']),
    hasNewer: random.chance(0.7),
    acceptsWork: random.chance(0.85),
  }));
  // One of them can run everything.
  const able = random.integer(1, workers.length) - 1;
  return {
    workers: workers.map((worker, index) =>
      index === able ? { ...worker, hasNewer: true, acceptsWork: true } : worker,
    ),
    clients: many(3, () => ({ sendsRoots: random.chance(0.6) })),
    store: random.pick(['own', 'shared', 'shared', 'leases']),
    queuedRuns: random.chance(0.2) ? random.integer(1, 3) : undefined,
    heartbeat: { heartbeatMs: 2_000, suspectMs: 5_000, leaseMs: 10_000, clientLeaseMs: 20_000 },
    delayMs: random.pick([0, 1, 5, 40]),
    storeLatencyMs: random.pick([0, 0, 10]),
  };
}

/** The zones that there are workers in, which accept work. */
export function zonesOf({ workers }: Topology): Zone[] {
  const zones = workers.flatMap(({ zone, acceptsWork }) => (zone && acceptsWork !== false ? [zone] : []));
  return [...new Set(zones)];
}

/** The worker of that name; of a process, whichever of its starts. */
export function workerOf({ workers }: Topology, name: string): WorkerOptions | undefined {
  const [, number] = /^worker-(\d+)/.exec(name) ?? [];
  return workers[Number(number) - 1];
}

/** Whether a worker offers a routine, and has the labels that are required. */
export function mayRun(
  { hasNewer, zone }: WorkerOptions,
  run: { readonly routineId: string; readonly labels?: { readonly zone?: string } },
): boolean {
  const isNewer = run.routineId.endsWith(':2.0.0');
  const required = run.labels?.zone;
  return (hasNewer !== false || !isNewer) && (required === undefined || required === zone);
}
