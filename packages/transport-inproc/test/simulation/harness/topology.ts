import type { HeartbeatLimits } from '@routine-engine/core/host';
import type { SeededRandom } from '@routine-engine/transport-inproc/simulation';

/** How a cluster is made. */
export interface Topology {
  readonly workers: readonly {
    readonly slots: number;
    readonly inbox: number;
    readonly remembers: boolean;
  }[];
  readonly clients: readonly { readonly sendsRoots: boolean }[];
  /** `leases`: equal calls of several processes share one run. */
  readonly store: 'own' | 'shared' | 'leases';
  readonly heartbeat: Required<HeartbeatLimits>;
  /** Longest delay of a good link, in milliseconds. */
  readonly delayMs: number;
  readonly storeLatencyMs: number;
}

export function drawTopology(random: SeededRandom): Topology {
  const many = <T>(most: number, draw: () => T): T[] => Array.from({ length: random.integer(1, most) }, draw);
  return {
    workers: many(4, () => ({
      slots: random.pick([1, 1, 1, 2, 4]),
      inbox: random.pick([0, 1, 128]),
      remembers: random.chance(0.8),
    })),
    clients: many(3, () => ({ sendsRoots: random.chance(0.6) })),
    store: random.pick(['own', 'shared', 'shared', 'leases']),
    heartbeat: { heartbeatMs: 2_000, suspectMs: 5_000, leaseMs: 10_000, clientLeaseMs: 20_000 },
    delayMs: random.pick([0, 1, 5, 40]),
    storeLatencyMs: random.pick([0, 0, 10]),
  };
}
