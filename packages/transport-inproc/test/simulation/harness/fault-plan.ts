import type { LinkConditions, SeededRandom } from '@routine-engine/transport-inproc/simulation';
import type { Cluster } from './cluster.ts';
import type { Topology } from './topology.ts';

/** Something that goes wrong, as data. */
export type Fault =
  | { readonly kind: 'conditions'; readonly conditions: Partial<LinkConditions> }
  | { readonly kind: 'crash' | 'vanish'; readonly node: string; readonly restartMs: number }
  | { readonly kind: 'freeze'; readonly node: string; readonly forMs: number }
  /** A worker is told to stop, and started again later. */
  | { readonly kind: 'drain'; readonly node: string; readonly graceMs: number; readonly restartMs: number }
  | { readonly kind: 'cut' | 'half-open'; readonly node: string }
  | {
      readonly kind: 'partition';
      readonly node: string;
      readonly way: 'both' | 'to' | 'from';
      readonly forMs: number;
    }
  | { readonly kind: 'jump'; readonly node: string | undefined; readonly ms: number }
  | { readonly kind: 'store-fails'; readonly rate: number; readonly forMs: number };

export type FaultKind = Fault['kind'];

/** Faults by the time at which they happen, in milliseconds from the start. */
export type FaultPlan = readonly { readonly atMs: number; readonly fault: Fault }[];

/** What may go wrong, each as often as it stands here. */
const FAULT_KINDS: readonly [FaultKind, ...FaultKind[]] = [
  'conditions',
  'crash',
  'vanish',
  'freeze',
  'jump',
  'store-fails',
  'cut',
  'cut',
  'partition',
  'half-open',
  'drain',
  'drain',
];

/** How often workers are only told to stop, and how often nothing goes wrong. */
const DRAINS_ALONE = 0.1;
const NO_FAULTS = 0.3;

/** Faults that may take a run off its worker: together they stay below what a run is poisoned by. */
const MOST_DOWNFALLS = 2;

/** Draws what goes wrong in so much time. */
export class FaultPlanner {
  readonly #random: SeededRandom;
  readonly #topology: Topology;
  #downfalls = 0;

  constructor(random: SeededRandom, topology: Topology) {
    this.#random = random;
    this.#topology = topology;
  }

  plan(withinMs: number): FaultPlan {
    const random = this.#random;
    const plan: { atMs: number; fault: Fault }[] = [];
    const kind = random.next();
    const kinds = kind < DRAINS_ALONE ? (['drain'] as const) : FAULT_KINDS;
    const wanted = kind > 1 - NO_FAULTS ? 0 : random.integer(1, 6);
    for (let made = 0; made < wanted; made += 1) {
      const fault = this.#draw(random.pick(kinds));
      if (fault) plan.push({ atMs: random.integer(0, withinMs), fault });
    }
    return plan.toSorted((one, other) => one.atMs - other.atMs);
  }

  #draw(kind: FaultKind): Fault | undefined {
    const random = this.#random;
    switch (kind) {
      case 'conditions':
        return { kind, conditions: this.#conditions() };
      case 'crash':
      case 'vanish': {
        const restartMs = random.integer(100, 15_000);
        return this.#fells() ? { kind, node: this.#node(), restartMs } : undefined;
      }
      case 'freeze': {
        const forMs = random.chance(0.5) ? random.integer(10, 3_000) : random.integer(3_000, 30_000);
        return this.#fells() ? { kind, node: this.#node(), forMs } : undefined;
      }
      case 'cut':
        return { kind, node: this.#node() };
      case 'drain': {
        const graceMs = random.pick([0, 100, 1_000, 10_000]);
        const node = `worker-${random.integer(1, this.#topology.workers.length)}`;
        return { kind, node, graceMs, restartMs: random.integer(0, 5_000) };
      }
      case 'half-open':
        return this.#fells() ? { kind, node: this.#node() } : undefined;
      case 'partition': {
        const forMs = random.chance(0.5) ? random.integer(10, 4_000) : random.integer(4_000, 30_000);
        return this.#fells()
          ? { kind, node: this.#node(), way: random.pick(['both', 'to', 'from']), forMs }
          : undefined;
      }
      case 'jump': {
        const ms = random.pick([-1, 1]) * random.integer(1, 7_200_000);
        return { kind, node: random.chance(0.5) ? undefined : this.#node(), ms };
      }
      case 'store-fails':
        return { kind, rate: random.pick([0.1, 0.5, 1]), forMs: random.integer(100, 5_000) };
    }
  }

  #conditions(): Partial<LinkConditions> {
    const random = this.#random;
    const delays = { delayMs: random.integer(0, 200), jitterMs: random.integer(0, 400) };
    const kind = random.next();
    if (kind < 0.4) return delays;
    if (kind < 0.6) return { bytesPerSecond: random.integer(20_000, 2_000_000) };
    if (kind < 0.75) return { ...delays, duplicationRate: 0.1 };
    if (kind < 0.9) return { ...delays, lossRate: 0.04 };
    return { ...delays, reorderingRate: 0.04 };
  }

  #fells(): boolean {
    this.#downfalls += 1;
    return this.#downfalls <= MOST_DOWNFALLS;
  }

  #node(): string {
    const { workers, clients } = this.#topology;
    const at = this.#random.next();
    if (at < 0.25) return 'service';
    if (at < 0.4) return `client-${this.#random.integer(1, clients.length)}`;
    return `worker-${this.#random.integer(1, workers.length)}`;
  }
}

/** Has a fault happen to a cluster, now. */
export function inject(fault: Fault, cluster: Cluster): void {
  const { clock, network } = cluster;
  switch (fault.kind) {
    case 'conditions':
      return network.setConditions(fault.conditions);
    case 'crash':
    case 'vanish':
      return cluster.crash(fault.node, fault.restartMs, fault.kind === 'vanish');
    case 'freeze': {
      const { process } = cluster.seatOf(fault.node);
      process?.freeze();
      clock.after(fault.forMs, () => process?.thaw());
      return;
    }
    case 'drain':
      return cluster.drain(fault.node, fault.graceMs, fault.restartMs);
    case 'cut':
      for (const peer of peersOf(fault.node, cluster)) network.cut(fault.node, peer);
      return;
    case 'half-open':
      for (const peer of peersOf(fault.node, cluster)) network.breakSilently(fault.node, peer);
      return;
    case 'partition':
      return partition(fault, cluster);
    case 'jump':
      if (fault.node === undefined) clock.jump(fault.ms);
      else cluster.seatOf(fault.node).process?.jump(fault.ms);
      return;
    case 'store-fails':
      cluster.storage.failureRate = fault.rate;
      clock.after(fault.forMs, () => (cluster.storage.failureRate = 0));
  }
}

function partition({ node, way, forMs }: Extract<Fault, { kind: 'partition' }>, cluster: Cluster): void {
  const { clock, network } = cluster;
  for (const peer of peersOf(node, cluster)) {
    if (way !== 'from') network.block(peer, node);
    if (way !== 'to') network.block(node, peer);
    clock.after(forMs, () => {
      network.unblock(peer, node);
      network.unblock(node, peer);
    });
  }
}

/** Whom a node is connected to. */
function peersOf(name: string, { seats }: Cluster): string[] {
  if (name !== 'service') return ['service'];
  return seats.map((seat) => seat.name).filter((each) => each !== 'service');
}
