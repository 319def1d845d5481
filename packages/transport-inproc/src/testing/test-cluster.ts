import type { Observable } from 'rxjs';
import type { EngineEvent, EnginePlugin, Labels, Lifecycle } from '@routine-engine/core';
import type { HeartbeatLimits } from '@routine-engine/core/host';
import type { LinkConditions } from '../simulation/link-conditions.js';
import type { SimulatedClock } from '../simulation/simulated-clock.js';
import type { SimulatedNetwork } from '../simulation/simulated-network.js';
import type { DirectiveChoice } from './directive-faults.js';
import { SimulatedCluster } from './simulated-cluster.js';
import type { Timeline } from './timeline.js';

/** A node that plugins are for. @public */
export interface TestNode {
  /** `client`, or `worker-1` and so on. */
  readonly name: string;
  readonly role: 'client' | 'worker';
}

/** How a {@link testCluster} is made. @public */
export interface TestClusterOptions {
  /** How many workers, named `worker-1` and so on: 1 to 1,024. */
  readonly workers: number;
  /** Runs that each worker lets compute at once. Default 1. */
  readonly slots?: number;
  /** What all chance is drawn from, such as how long a node waits before it dials again. Default 1. */
  readonly seed?: number | string;
  /** Project that routine ids belong to when they name none. Default `test`. */
  readonly project?: string;
  /**
   * Plugins of each node that runs or calls routines, such as a store, a codec or an engine of your own; called once for each
   * start of a node when it is a function. Clock, chance, ids, logger and transport are those of the cluster. Default: none.
   */
  readonly plugins?: readonly EnginePlugin[] | ((node: TestNode) => readonly EnginePlugin[]);
  /**
   * Where results are remembered when `plugins` bring no store: `shared`, in one memory that outlives all nodes, or `own`, in the
   * memory of each node, which a crash loses. Default `shared`.
   */
  readonly store?: 'shared' | 'own';
  /** Labels of each worker, by its number from 1 on, which runs may require. Default: none. */
  readonly labels?: (worker: number) => Labels | undefined;
  /** How late a worker's pulse may be. */
  readonly heartbeat?: HeartbeatLimits;
  /** How many runs may wait for a worker. Default `LIMITS.queuedRuns`. */
  readonly queuedRuns?: number;
  /** How many workers one run may bring down before it fails as `RUN_POISONED`. Default `LIMITS.maxDeliveries`. */
  readonly maxDeliveries?: number;
  /** Milliseconds that everything takes from one node to another. Default 1. */
  readonly delayMs?: number;
}

/** How long something is waited for. @public */
export interface WaitOptions {
  /** Most milliseconds of virtual time. Default 600,000. */
  readonly withinMs?: number;
}

/**
 * A service, workers and a client in this process, in virtual time. Time passes only while a test waits for something, by
 * `run`, `until`, `advance`, `restart`, `stop` or `close`, and then from one event to the next without delay. Nodes are named
 * `service`, `client` and `worker-1` and so on; a name that there is not is an Error.
 * @public
 */
export interface TestCluster extends AsyncDisposable {
  /** What all nodes told so far, in order. */
  readonly events: readonly EngineEvent[];
  /** The same as it happens. Hot; completes at the end of `close`. */
  readonly events$: Observable<EngineEvent>;
  /** What nodes logged as warnings or errors, in order. */
  readonly warnings: readonly string[];
  /** That of the client. */
  readonly lifecycle: Lifecycle;
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  /**
   * Calls a function whose routine calls are those of the client, and lets time pass until what it gives has settled. It need
   * not be awaited at once: what else the test waits for lets time pass as well.
   * @throws AssertionError that tells the last events, when it has not settled in time.
   */
  run<T>(callback: () => T | Promise<T>, options?: WaitOptions): Promise<T>;
  /**
   * Lets time pass until an event comes that fits. The first call looks at all events, each further one at those after the event
   * that the last one gave: what has happened in between is not missed.
   * @throws AssertionError that tells the last events, when none has come in time.
   */
  until<Type extends EngineEvent['type']>(
    type: Type,
    fits?: (event: Extract<EngineEvent, { type: Type }>) => boolean,
    options?: WaitOptions,
  ): Promise<Extract<EngineEvent, { type: Type }>>;
  until(fits: (event: EngineEvent) => boolean, options?: WaitOptions): Promise<EngineEvent>;
  /** Lets that many milliseconds pass. */
  advance(milliseconds: number): Promise<void>;
  /**
   * Kills the service or a worker in the middle of what it does; it stays down. Bodies of its runs that wait for something else
   * than {@link pause} or sub-runs may go on in this process, and nobody hears what they come to.
   * @param options - `silent`: its machine goes with it, so that its peers are not told.
   */
  crash(node: string, options?: { readonly silent?: boolean }): void;
  /** Starts the service or a worker anew, after killing it when it is up, and waits until it is up. */
  restart(node: string): Promise<void>;
  /** Has a worker stop in order, as at SIGTERM, and waits for that. */
  stop(worker: string): Promise<void>;
  /** Freezes a node, as one is that is swapped out or stopped by a debugger: what happens to it waits until it resumes. */
  hang(node: string): void;
  resume(node: string): void;
  /** Lets nothing through between that worker or client and the service until `heal`; connections stay as they are. */
  partition(node: string): void;
  /** Ends the connections between that worker or client and the service: both are told, and what is under way is lost. */
  disconnect(node: string): void;
  /** Has everything between that worker or client and the service take so many milliseconds, each way. */
  delay(node: string, milliseconds: number): void;
  /** Sets more of what the link of that worker or client is like, both ways. */
  link(node: string, conditions: Partial<LinkConditions>): void;
  /** Loses directives to come, while their connection stays open: what real connections never do, but broken middlemen might. */
  drop(choice: DirectiveChoice): void;
  /** Has directives to come arrive twice. */
  duplicate(choice: DirectiveChoice): void;
  /** Makes all links good, and undoes what is left of `drop` and `duplicate`. Nodes that hang or are down stay so. */
  heal(): void;
  /** What became of runs and workers so far. */
  timeline(): Timeline;
  /** Shuts every node down in order. A second call gives the same promise. @throws AssertionError when one does not end. */
  close(): Promise<void>;
}

const MOST_WORKERS = 1_024;

/**
 * Starts a whole cluster in this process for a test: the service and workers of the SDK itself, in virtual time, with chance by
 * a seed, on a network that does what the test says. It opens no port and no file, and takes milliseconds. Workers offer every
 * routine that is defined in this process; bodies run in the calling thread, and wait by {@link pause}, by sub-runs, by promises of
 * the test or for files. What takes real time otherwise, such as a timer or a socket, makes virtual time run on meanwhile.
 * @throws TypeError for a number of workers that is not 1 to 1,024; what the start of a node throws.
 * @public
 */
export async function testCluster(options: TestClusterOptions): Promise<TestCluster> {
  const { workers } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS)
    throw new TypeError(`testCluster: workers is ${workers}; it must be 1 to ${MOST_WORKERS}`);
  const cluster = new SimulatedCluster(options);
  await cluster.start();
  return cluster;
}
