import type { EnginePlugin, Lifecycle } from '@routine-engine/core';
import { RESULT_STORE, type ResultStore } from '@routine-engine/core/adapter';
import { SeededIds } from '../simulation/seeded-ids.js';
import type { SeededRandom } from '../simulation/seeded-random.js';
import type { SimulatedClock } from '../simulation/simulated-clock.js';
import type { SimulatedNetwork } from '../simulation/simulated-network.js';
import type { SimulatedProcess } from '../simulation/simulated-process.js';
import {
  provides,
  startClient,
  startService,
  startWorker,
  type NodeParts,
  type RunningNode,
} from './cluster-nodes.js';
import type { EventJournal } from './event-journal.js';
import type { TestClusterOptions } from './test-cluster.js';

export const SERVICE = 'service';
export const CLIENT = 'client';

/** One node, through all its starts. */
export interface Seat {
  readonly name: string;
  readonly start: (parts: NodeParts) => Promise<RunningNode>;
  starts: number;
  /** The process of its last start. */
  process: SimulatedProcess | undefined;
  /** Present while it is up. */
  node: RunningNode | undefined;
  /** The service knows the worker of its last start. */
  isKnown: boolean;
}

/** What the nodes of one cluster share. */
export interface ClusterParts {
  readonly options: TestClusterOptions;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly random: SeededRandom;
  readonly journal: EventJournal;
  /** Where nodes remember results that have no other store. */
  readonly store: ResultStore;
}

/** The nodes of one cluster: those that are up, and those that could be. */
export class ClusterSeats {
  readonly #parts: ClusterParts;
  readonly #seats = new Map<string, Seat>();
  readonly #lifecycles = new Set<Lifecycle>();

  constructor(parts: ClusterParts) {
    const { workers, slots = 1, labels, heartbeat, queuedRuns, maxDeliveries } = parts.options;
    this.#parts = parts;
    const limits = {
      ...(heartbeat && { heartbeat }),
      ...(queuedRuns !== undefined && { queuedRuns }),
      ...(maxDeliveries !== undefined && { maxDeliveries }),
    };
    this.#add(SERVICE, (node) => startService(node, limits));
    for (let worker = 1; worker <= workers; worker += 1)
      this.#add(`worker-${worker}`, (node) => startWorker(node, { slots, labels: labels?.(worker) }));
    this.#add(CLIENT, startClient);
  }

  get all(): readonly Seat[] {
    return [...this.#seats.values()];
  }

  /** @throws TypeError for a name that there is not. */
  of(name: string): Seat {
    const seat = this.#seats.get(name);
    if (!seat)
      throw new TypeError(`There is no node ${name}; there are ${[...this.#seats.keys()].join(', ')}`);
    return seat;
  }

  /** Starts a node anew. Resolves once it is connected. */
  async start(seat: Seat): Promise<void> {
    seat.starts += 1;
    seat.isKnown = false;
    const process = this.#parts.clock.process(seat.name);
    seat.process = process;
    const node = await seat.start(this.#partsOf(seat, process));
    if (node.lifecycle) this.#lifecycles.add(node.lifecycle);
    if (process.state !== 'dead') seat.node = node;
  }

  /** Whether it is up, and the service knows it: who has connected has still to tell what it is. */
  isUp({ name, node, isKnown }: Seat): boolean {
    return node !== undefined && (isKnown || name === SERVICE || name === CLIENT);
  }

  /** Shuts down what is up, in order. */
  async stop(): Promise<void> {
    const { [SERVICE]: service, ...others } = Object.fromEntries(this.#seats);
    await Promise.all(Object.values(others).map(async ({ node }) => node?.stop()));
    await service?.node?.stop();
  }

  /** Lets go of the lifecycles of dead processes, which nothing else ever ends. */
  abandon(): void {
    void Promise.allSettled([...this.#lifecycles].map((lifecycle) => lifecycle.shutdown()));
  }

  #add(name: string, start: Seat['start']): void {
    const down = { starts: 0, process: undefined, node: undefined, isKnown: false };
    this.#seats.set(name, { name, start, ...down });
  }

  #partsOf({ name, starts }: Seat, process: SimulatedProcess): NodeParts {
    const { options, network, journal, store } = this.#parts;
    const { project = 'test' } = options;
    const random = this.#parts.random.fork(`${name}#${starts}`);
    const plugins = this.#pluginsOf(name);
    const hasOwnStore = options.store === 'own' || provides(plugins, RESULT_STORE);
    return {
      ...{ process, random, project, plugins, transport: network.transport(process) },
      ids: new SeededIds(process, random.fork('ids')),
      store: hasOwnStore ? undefined : store,
      logger: {
        log: (level, message, details) => {
          if (level !== 'warn' && level !== 'error') return;
          const error = details?.['error'];
          const why = error instanceof Error ? `: ${error.message}` : '';
          journal.warnings.push(`${name} ${level} ${message}${why}`);
        },
      },
      // What goes on of a node that has crashed is of no world.
      tell: (event) => {
        if (process.state !== 'dead') journal.tell(event);
      },
    };
  }

  #pluginsOf(name: string): readonly EnginePlugin[] {
    const { plugins = [] } = this.#parts.options;
    if (name === SERVICE) return [];
    if (typeof plugins !== 'function') return plugins;
    return plugins({ name, role: name === CLIENT ? 'client' : 'worker' });
  }
}
