import { LIMITS, type Transport } from '@routine-engine/core/adapter';
import {
  GOOD_LINK,
  noFaults,
  type DirectiveFate,
  type LinkConditions,
  type Links,
  type NetworkFaults,
  type SentDirective,
} from './link-conditions.js';
import type { SeededRandom } from './seeded-random.js';
import type { SimulatedClock } from './simulated-clock.js';
import { SimulatedConnection } from './simulated-connection.js';
import type { SimulatedListener } from './simulated-listener.js';
import type { SimulatedProcess } from './simulated-process.js';
import { SimulatedTransport } from './simulated-transport.js';

/** How a {@link SimulatedNetwork} is set up. @public */
export interface SimulatedNetworkOptions {
  readonly clock: SimulatedClock;
  /** What its faults are drawn from. */
  readonly random: SeededRandom;
  /** Conditions of every link for which there are no others. Default: 1 ms and no faults. */
  readonly conditions?: Partial<LinkConditions>;
  /** Asked for each directive as it is sent, beside what the conditions of its link do. Default: nothing becomes of any. */
  readonly fateOf?: (directive: SentDirective) => DirectiveFate | undefined;
  /** Hears of each directive once the process that it went to has handled it. */
  readonly onHandled?: (directive: SentDirective) => void;
  /** See `TransportCapabilities.sharesMemory`. Default `false`: bodies go over as bytes, large ones in chunks. */
  readonly sharesMemory?: boolean;
  /** Bytes sent and not yet handled before `send` says that it is full. Default `LIMITS.connectionWindowBytes`. */
  readonly windowBytes?: number;
}

/**
 * A network between simulated processes, with as many faults as a test wants. Each process dials and listens with a
 * {@link Transport} of its own. Links are named by the names of their processes, so that what holds for one holds for the
 * process that is started in its place.
 * @public
 */
export class SimulatedNetwork {
  /** What was done to it so far. */
  readonly faults: NetworkFaults = noFaults();
  readonly #options: SimulatedNetworkOptions;
  readonly #conditions = new Map<string, LinkConditions>();
  readonly #blocked = new Set<string>();
  readonly #listeners = new Map<string, SimulatedListener>();
  readonly #ends = new Set<SimulatedConnection>();
  readonly #known = new WeakSet<SimulatedProcess>();
  readonly #links: Links;
  #default: LinkConditions;

  constructor(options: SimulatedNetworkOptions) {
    const { clock, random, conditions, fateOf, onHandled } = options;
    this.#options = options;
    this.#default = { ...GOOD_LINK, ...conditions };
    this.#links = {
      ...{ random, faults: this.faults },
      elapsed: () => clock.monotonic(),
      holding: new Set(),
      conditions: (from, to) => this.#conditions.get(linkOf(from.name, to.name)) ?? this.#default,
      isBlocked: (from, to) => this.#blocked.has(linkOf(from.name, to.name)),
      fateOf: ({ name: from }, { name: to }, header) => fateOf?.({ from, to, header }),
      handled: ({ name: from }, { name: to }, header) => onHandled?.({ from, to, header }),
      note: (text) => clock.note(text),
    };
  }

  /** Ends of connections that do not know of their end. */
  get openEnds(): number {
    return this.#ends.size;
  }

  /** What a process dials and listens with. When it dies, its connections end, and its addresses are free. */
  transport(process: SimulatedProcess): Transport {
    if (!this.#known.has(process)) {
      this.#known.add(process);
      process.onDeath(() => this.#buried(process));
    }
    return new SimulatedTransport(process, {
      ...{ links: this.#links, listeners: this.#listeners },
      sharesMemory: this.#options.sharesMemory ?? false,
      connect: (from, to, address) => this.#connect(from, to, address),
    });
  }

  /** Sets the conditions of all links, and forgets those of single ones. What is under way is not touched. */
  setConditions(conditions: Partial<LinkConditions>): void {
    this.#default = { ...GOOD_LINK, ...conditions };
    this.#conditions.clear();
  }

  /** Sets the conditions of one link, one way. */
  setLink(from: string, to: string, conditions: Partial<LinkConditions>): void {
    this.#conditions.set(linkOf(from, to), { ...GOOD_LINK, ...conditions });
  }

  /** Blocks a link one way: what arrives is held until `unblock`, and connections stay as they are. */
  block(from: string, to: string): void {
    const link = linkOf(from, to);
    if (this.#blocked.has(link)) return;
    this.#blocked.add(link);
    this.faults.partitions += 1;
    this.#links.note(`${link} is blocked`);
  }

  unblock(from: string, to: string): void {
    const link = linkOf(from, to);
    if (!this.#blocked.delete(link)) return;
    this.#links.note(`${link} is free`);
    for (const wire of this.#links.holding) wire.resume();
  }

  /** Ends every connection between two processes, as both are told; what is under way is lost. @returns how many. */
  cut(one: string, two: string): number {
    const ends = this.#between(one, two);
    for (const end of ends) end.breakWire();
    for (const end of ends) end.process.schedule(0, () => end.end());
    return this.#count('cuts', ends, one, two);
  }

  /**
   * Has every connection between two processes carry nothing any more, while neither is told.
   * @returns how many.
   */
  breakSilently(one: string, two: string): number {
    const ends = this.#between(one, two);
    for (const end of ends) end.breakWire();
    return this.#count('halfOpen', ends, one, two);
  }

  /** Kills a process whose machine goes with it: its peers are not told that it is gone. */
  vanish(process: SimulatedProcess): void {
    for (const end of this.#ends) if (end.process === process) end.breakWire();
    process.kill();
  }

  /** Unblocks every link, and makes all of them good. Connections that carry nothing stay so until somebody ends them. */
  heal(): void {
    this.#blocked.clear();
    this.setConditions({});
    this.#links.note('the network heals');
    for (const wire of this.#links.holding) wire.resume();
  }

  #connect(
    from: SimulatedProcess,
    to: SimulatedProcess,
    address: string,
  ): readonly [SimulatedConnection, SimulatedConnection] {
    const { sharesMemory = false, windowBytes = LIMITS.connectionWindowBytes } = this.#options;
    const parts = { links: this.#links, sharesMemory, windowBytes };
    const ends = SimulatedConnection.pair(
      { ...parts, process: from, peer: address },
      { ...parts, process: to, peer: `${address}#${from.name}` },
    );
    for (const end of ends) {
      // It died while its dial was under way: nobody is there any more.
      if (end.process.state === 'dead') {
        end.breakWire();
        continue;
      }
      this.#ends.add(end);
      end.state$.subscribe({ complete: () => this.#ends.delete(end) });
    }
    return ends;
  }

  #between(one: string, two: string): SimulatedConnection[] {
    const isBetween = ({ process, otherProcess }: SimulatedConnection): boolean =>
      (process.name === one && otherProcess.name === two) ||
      (process.name === two && otherProcess.name === one);
    return [...this.#ends].filter(isBetween);
  }

  #count(kind: 'cuts' | 'halfOpen', ends: readonly SimulatedConnection[], one: string, two: string): number {
    const connections = Math.ceil(ends.length / 2);
    this.faults[kind] += connections;
    this.#links.note(`${kind}: ${connections} between ${one} and ${two}`);
    return connections;
  }

  #buried(process: SimulatedProcess): void {
    for (const [address, listener] of this.#listeners) {
      if (listener.process === process) this.#listeners.delete(address);
    }
    for (const end of [...this.#ends]) {
      if (end.process !== process) continue;
      this.#ends.delete(end);
      end.die();
    }
  }
}

function linkOf(from: string, to: string): string {
  return `${from} > ${to}`;
}
