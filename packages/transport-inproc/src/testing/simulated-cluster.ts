import { AssertionError } from 'node:assert';
import type { EngineEvent, Lifecycle } from '@routine-engine/core';
import type { ResultStore } from '@routine-engine/core/adapter';
import type { DirectiveFate, LinkConditions } from '../simulation/link-conditions.js';
import { SeededIds } from '../simulation/seeded-ids.js';
import { SeededRandom } from '../simulation/seeded-random.js';
import { SimulatedClock } from '../simulation/simulated-clock.js';
import { SimulatedNetwork } from '../simulation/simulated-network.js';
import { sharedStore, type RunningNode } from './cluster-nodes.js';
import { CLIENT, ClusterSeats, SERVICE, type Seat } from './cluster-seats.js';
import { DirectiveFaults, type DirectiveChoice } from './directive-faults.js';
import { EventJournal } from './event-journal.js';
import type { TestCluster, TestClusterOptions, WaitOptions } from './test-cluster.js';
import { timelineOf, type Timeline } from './timeline.js';
import { byClock, VirtualTime } from './virtual-time.js';

const WITHIN_MS = 600_000;
const DELAY_MS = 1;

/** See {@link TestCluster}. */
export class SimulatedCluster implements TestCluster {
  readonly clock = new SimulatedClock();
  readonly network: SimulatedNetwork;
  readonly #options: TestClusterOptions;
  readonly #time = new VirtualTime(this.clock);
  readonly #journal = new EventJournal();
  readonly #faults = new DirectiveFaults();
  readonly #seats: ClusterSeats;
  readonly #store: ResultStore;
  #closed: Promise<void> | undefined;

  constructor(options: TestClusterOptions) {
    const { seed = 1, delayMs = DELAY_MS } = options;
    const random = new SeededRandom(seed);
    this.#options = options;
    this.network = new SimulatedNetwork({
      ...{ clock: this.clock, random: random.fork('network'), conditions: { delayMs } },
      fateOf: (directive) => this.#faults.fateOf(directive),
      onHandled: ({ from, header }) => {
        if (header['type'] === 'v1.worker.ready') this.#seats.of(from).isKnown = true;
      },
    });
    const storage = this.clock.process('storage');
    this.#store = sharedStore(storage, new SeededIds(storage, random.fork('storage')));
    const { clock, network } = this;
    const [journal, store] = [this.#journal, this.#store];
    this.#seats = new ClusterSeats({ options, clock, network, random, journal, store });
  }

  async start(): Promise<void> {
    const [service, ...others] = this.#seats.all;
    try {
      await this.#start(service ? [service] : []);
      await this.#start(others);
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  get events(): readonly EngineEvent[] {
    return this.#journal.events;
  }

  get events$(): TestCluster['events$'] {
    return this.#journal.events$;
  }

  get warnings(): readonly string[] {
    return this.#journal.warnings;
  }

  get lifecycle(): Lifecycle {
    return this.#client.lifecycle as Lifecycle;
  }

  run<T>(callback: () => T | Promise<T>, options?: WaitOptions): Promise<T> {
    const { lifecycle, process } = this.#client;
    const called = byClock(process, () => lifecycle?.run(async () => callback())) as Promise<T>;
    const settled = this.#settled('What was called did not settle', called, options);
    // A test looks at it when it gets to it: until then its failure is nobody's.
    void Promise.allSettled([settled]);
    return settled;
  }

  until<Type extends EngineEvent['type']>(
    type: Type | ((event: EngineEvent) => boolean),
    fits?: ((event: Extract<EngineEvent, { type: Type }>) => boolean) | WaitOptions,
    options?: WaitOptions,
  ): Promise<Extract<EngineEvent, { type: Type }>> {
    const isFit = typeof fits === 'function' ? (fits as (event: EngineEvent) => boolean) : () => true;
    const isWanted =
      typeof type === 'function' ? type : (event: EngineEvent) => event.type === type && isFit(event);
    const { withinMs = WITHIN_MS } = (typeof fits === 'object' ? fits : options) ?? {};
    const what = typeof type === 'function' ? 'No event came that fits' : `No ${type} came that fits`;
    return this.#time.for({
      withinMs,
      look: this.#journal.reader(isWanted),
      late: () => this.#late(what, withinMs),
    }) as Promise<Extract<EngineEvent, { type: Type }>>;
  }

  async advance(milliseconds: number): Promise<void> {
    const until = this.clock.monotonic() + milliseconds;
    await this.#time.for({
      withinMs: milliseconds,
      look: () => (this.clock.monotonic() >= until ? { found: undefined } : undefined),
      late: () => new Error('Time did not pass'),
    });
  }

  crash(node: string, { silent = false }: { readonly silent?: boolean } = {}): void {
    const seat = this.#seats.of(node);
    if (node === CLIENT) throw new TypeError('The client is the test itself, which can not crash');
    seat.node = undefined;
    if (!seat.process) return;
    if (silent) this.network.vanish(seat.process);
    else seat.process.kill();
  }

  async restart(node: string): Promise<void> {
    this.crash(node);
    await this.#start([this.#seats.of(node)]);
  }

  async stop(worker: string): Promise<void> {
    const seat = this.#seats.of(worker);
    const { node, process } = seat;
    if (!node?.lifecycle || worker === CLIENT) throw new TypeError(`${worker} is no worker that is up`);
    await this.#settled(`${worker} did not stop`, node.stop());
    seat.node = undefined;
    process?.kill();
  }

  hang(node: string): void {
    this.#seats.of(node).process?.freeze();
  }

  resume(node: string): void {
    this.#seats.of(node).process?.thaw();
  }

  partition(node: string): void {
    const [one, other] = this.#linkOf(node);
    this.network.block(one, other);
    this.network.block(other, one);
  }

  disconnect(node: string): void {
    this.network.cut(...this.#linkOf(node));
  }

  delay(node: string, milliseconds: number): void {
    this.link(node, { delayMs: milliseconds });
  }

  link(node: string, conditions: Partial<LinkConditions>): void {
    const [one, other] = this.#linkOf(node);
    this.network.setLink(one, other, conditions);
    this.network.setLink(other, one, conditions);
  }

  drop(choice: DirectiveChoice): void {
    this.#add('lost', choice);
  }

  duplicate(choice: DirectiveChoice): void {
    this.#add('doubled', choice);
  }

  heal(): void {
    this.#faults.clear();
    this.network.heal();
    this.network.setConditions({ delayMs: this.#options.delayMs ?? DELAY_MS });
  }

  timeline(): Timeline {
    return timelineOf(this.events);
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #close(): Promise<void> {
    this.heal();
    for (const { process } of this.#seats.all) process?.thaw();
    try {
      await this.#settled('The cluster did not shut down', this.#seats.stop());
      await this.#store.close();
    } finally {
      this.#seats.abandon();
      this.#journal.complete();
    }
  }

  get #client(): RunningNode {
    const { node } = this.#seats.of(CLIENT);
    if (!node || this.#closed) throw new TypeError('The cluster is closed');
    return node;
  }

  #linkOf(node: string): [string, string] {
    const { name } = this.#seats.of(node);
    if (name === SERVICE) throw new TypeError('Name the worker or client whose link to the service is meant');
    return [name, SERVICE];
  }

  #add(fate: DirectiveFate, choice: DirectiveChoice): void {
    for (const node of [choice.from, choice.to]) if (node !== undefined) this.#seats.of(node);
    this.#faults.add(fate, choice);
  }

  /** Starts nodes, and waits until they are up. */
  async #start(seats: readonly Seat[]): Promise<void> {
    const names = seats.map(({ name }) => name).join(', ');
    const starting = Promise.all(seats.map((seat) => this.#seats.start(seat)));
    await this.#settled(`${names} did not come up`, starting);
    await this.#time.for({
      withinMs: WITHIN_MS,
      look: () => (seats.every((seat) => this.#seats.isUp(seat)) ? { found: undefined } : undefined),
      late: () => this.#late(`The service did not come to know ${names}`, WITHIN_MS),
    });
  }

  #settled<T>(what: string, promise: Promise<T>, { withinMs = WITHIN_MS }: WaitOptions = {}): Promise<T> {
    return this.#time.settled(promise, { withinMs, late: () => this.#late(what, withinMs) });
  }

  #late(what: string, withinMs: number): AssertionError {
    const { seed = 1 } = this.#options;
    const message = `${what} within ${withinMs} ms of virtual time (seed ${seed}).\n${this.#journal.last()}`;
    return new AssertionError({ message });
  }
}
