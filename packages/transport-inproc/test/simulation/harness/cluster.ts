import type { Lifecycle } from '@routine-engine/core';
import type { Logger } from '@routine-engine/core/adapter';
import {
  SeededIds,
  SimulatedNetwork,
  type SeededRandom,
  type SimulatedClock,
  type SimulatedProcess,
} from '@routine-engine/transport-inproc/simulation';
import { Journal } from './journal.ts';
import {
  makeWorker,
  openClient,
  startService,
  type ClientHost,
  type NodeParts,
  type ServiceHost,
  type WorkerHost,
} from './nodes.ts';
import type { Place } from './place.ts';
import { SharedStorage, SimulatedStore } from './simulated-store.ts';
import type { Topology, WorkerOptions } from './topology.ts';

/** How long whoever looks after the nodes takes to start one again, in milliseconds. */
const RESTART_MS = 1_000;

/** How long whoever asks another node to cancel a run waits for that, in milliseconds. */
const CANCEL_MS = 2_000;

/** One node of a cluster, through all its starts. */
export interface Seat<Host extends { readonly process: SimulatedProcess }> {
  readonly name: string;
  readonly start: () => Promise<Host>;
  starts: number;
  /** The process of its last start. */
  process: SimulatedProcess | undefined;
  /** Present while it is up. */
  host: Host | undefined;
}

/** Nodes on one clock and one network, looked after: one that ends is started again. */
export class Cluster {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly journal: Journal;
  readonly storage: SharedStorage;
  readonly service: Seat<ServiceHost>;
  readonly workers: readonly Seat<WorkerHost>[];
  readonly clients: readonly Seat<ClientHost>[];
  readonly topology: Topology;
  readonly #random: SeededRandom;
  readonly #lifecycles = new Set<Lifecycle>();
  #isClosing = false;

  /** @param isCalm - whether nothing goes wrong that has runs be placed again, or directives be lost. */
  constructor(clock: SimulatedClock, random: SeededRandom, topology: Topology, isCalm = false) {
    this.clock = clock;
    this.topology = topology;
    this.#random = random;
    this.network = new SimulatedNetwork({
      ...{ clock, random: random.fork('network') },
      conditions: { delayMs: topology.delayMs },
    });
    this.journal = new Journal(() => clock.monotonic());
    this.storage = new SharedStorage(random.fork('store'), () => clock.monotonic());
    this.journal.sharesStore = topology.store !== 'own';
    this.journal.isCalm = isCalm;
    this.journal.hasShortQueue = topology.queuedRuns !== undefined;
    this.storage.latencyMs = topology.storeLatencyMs;
    this.storage.onPut = (runId) => {
      clock.note(`the result of ${runId} is kept`);
      this.journal.putBy(runId);
    };
    this.service = this.#seat('service', (parts) => startService(parts, topology, isCalm));
    this.workers = topology.workers.map((options, index) =>
      this.#seat(`worker-${index + 1}`, (parts) => this.#startWorker(parts, options)),
    );
    this.clients = topology.clients.map(({ sendsRoots }, index) =>
      this.#seat(`client-${index + 1}`, (parts) => this.#startClient(parts, sendsRoots)),
    );
  }

  get seats(): readonly Seat<ServiceHost | WorkerHost | ClientHost>[] {
    return [this.service, ...this.workers, ...this.clients];
  }

  /** Starts all nodes; the service first. */
  async start(): Promise<void> {
    await this.#up(this.service);
    for (const seat of [...this.workers, ...this.clients]) void this.#up(seat);
    const isUp = await this.clock.run({ until: () => this.isUp, forMs: 60_000 });
    if (!isUp) this.journal.violate('The cluster did not come up within a minute');
  }

  /** Kills the process of a node, and starts it again later. */
  crash(name: string, restartMs: number, isSilent = false): void {
    const seat = this.seatOf(name);
    if (!seat.process || seat.process.state === 'dead') return;
    this.journal.killed.add(`${name}#${seat.starts}`);
    if (isSilent) this.network.vanish(seat.process);
    else seat.process.kill();
    seat.host = undefined;
    this.clock.after(restartMs, () => void this.#up(seat));
  }

  /** Tells a worker to stop, and starts it again later. */
  drain(name: string, graceMs: number, restartMs: number): void {
    const seat = this.workers.find((each) => each.name === name);
    const { host, process } = seat ?? {};
    if (!seat || !host || !process || process.state === 'dead') return;
    // Whoever looks after it knows that it is to end.
    seat.host = undefined;
    this.journal.drains(`${name}#${seat.starts}`, graceMs);
    const ended = (): void => {
      if (process.state === 'dead') return;
      const { running, hanging } = host.worker.counts;
      if (running + hanging > 0) this.journal.violate(`${name} stopped, and ${running + hanging} runs go on`);
      process.kill();
      this.clock.after(restartMs, () => void this.#up(seat));
    };
    process.nextTurn(() => {
      const stopping = host.worker.stop({ graceMs }).then(() => host.lifecycle.shutdown());
      stopping.then(ended, (error: unknown) => {
        this.journal.violate(`${name} did not stop: ${String(error)}`);
        ended();
      });
    });
  }

  seatOf(name: string): Seat<ServiceHost | WorkerHost | ClientHost> {
    const found = this.seats.find((seat) => seat.name === name);
    if (!found) throw new Error(`There is no node ${name}`);
    return found;
  }

  clientOf(name: string): Seat<ClientHost> {
    const found = this.clients.find((seat) => seat.name === name);
    if (!found) throw new Error(`There is no client ${name}`);
    return found;
  }

  get isUp(): boolean {
    return this.seats.every(({ host }) => host);
  }

  /** Has everything be well from now on: what is frozen goes on, and what is down comes up by itself. */
  heal(): void {
    this.network.heal();
    this.storage.failureRate = 0;
    for (const { process } of this.seats) process?.thaw();
  }

  /** Shuts every node down, in order. */
  async close(): Promise<void> {
    this.#isClosing = true;
    const closing = Promise.all([
      ...this.clients.map(({ host }) => host?.lifecycle.shutdown()),
      ...this.workers.map(async ({ host }) => {
        await host?.worker.stop();
        await host?.lifecycle.shutdown();
      }),
    ]).then(() => this.service.host?.service.close());
    let isClosed = false;
    const closed = closing.then(
      () => (isClosed = true),
      (error: unknown) => this.journal.violate(`Shutting down failed: ${String(error)}`),
    );
    if (!(await this.clock.run({ until: () => isClosed, forMs: 120_000 }))) {
      this.journal.violate('The nodes did not shut down within two minutes');
      return;
    }
    await closed;
  }

  /** Lets go of the lifecycles of dead processes, which nothing else ever ends. */
  abandon(): void {
    for (const lifecycle of this.#lifecycles) void lifecycle.shutdown().catch(() => undefined);
  }

  #seat<Host extends { readonly process: SimulatedProcess }>(
    name: string,
    start: (parts: NodeParts) => Promise<Host>,
  ): Seat<Host> {
    const seat: Seat<Host> = {
      ...{ name, starts: 0, process: undefined, host: undefined },
      start: () => {
        seat.starts += 1;
        const parts = this.#partsOf(name, seat.starts);
        seat.process = parts.process;
        return start(parts);
      },
    };
    return seat;
  }

  #partsOf(name: string, start: number): NodeParts {
    const label = `${name}#${start}`;
    const random = this.#random.fork(label);
    const process = this.clock.process(name);
    const hasStore = this.topology.store !== 'own';
    const store = hasStore
      ? new SimulatedStore(this.storage, process, this.topology.store === 'leases')
      : undefined;
    const place = this.#placeOf(label, process);
    return {
      ...{ label, process, random, store, place, logger: this.#loggerOf(label), journal: this.journal },
      transport: this.network.transport(process),
      ids: new SeededIds(process, random.fork('ids')),
    };
  }

  #placeOf(label: string, process: SimulatedProcess): Place {
    const { journal } = this;
    return {
      ...{ process, isPatient: this.topology.queuedRuns !== undefined },
      bodyBegins: (...body) => journal.bodyBegins(label, ...body),
      bodyEnds: (...body) => journal.bodyEnds(label, ...body),
      handles: (...runs) => journal.handles(...runs),
      saw: (feature) => journal.seen.add(feature),
      violate: (what) => journal.violate(`${label}: ${what}`),
      cancelById: (runId) => this.#cancelById(runId, process),
    };
  }

  /** Has some client cancel a run, another one if there is. Who waits for that does so for a while: the client may freeze or die. */
  #cancelById(runId: string, waiter: SimulatedProcess): Promise<void> {
    const up = this.clients.flatMap(({ host }) => host ?? []);
    return new Promise((resolve) => {
      const timer = waiter.after(CANCEL_MS, resolve);
      const over = (): void => {
        timer.cancel();
        if (waiter.state !== 'dead') waiter.nextTurn(resolve);
      };
      const client = up.find(({ process }) => process !== waiter) ?? up[0];
      // What came of it shows in what becomes of the run.
      client?.process.nextTurn(() => void client.lifecycle.runs.cancel(runId).then(over, over));
    });
  }

  #loggerOf(label: string): Logger {
    return {
      log: (level, message, details) => {
        if (level === 'error')
          this.journal.violate(`${label} logged an error: ${message} ${String(details?.['error'])}`);
        this.clock.note(`${label} ${level}: ${message}`);
      },
    };
  }

  /** Starts a node, again and again until it is up. */
  async #up(seat: Seat<{ readonly process: SimulatedProcess }>): Promise<void> {
    if (this.#isClosing) return;
    const starting = seat.start();
    const { process } = seat;
    try {
      const host = await starting;
      if (process?.state !== 'dead' && seat.process === process) seat.host = host;
    } catch (error) {
      this.clock.note(`${seat.name} did not start: ${String(error)}`);
      if (seat.process !== process || process?.state === 'dead') return;
      process?.kill();
      this.clock.after(RESTART_MS, () => void this.#up(seat));
    }
  }

  async #startWorker(parts: NodeParts, options: WorkerOptions): Promise<WorkerHost> {
    const host = await makeWorker(parts, options);
    this.#lifecycles.add(host.lifecycle);
    host.worker.status$.subscribe((status) => {
      if (status !== 'TERMINATING' || this.#isClosing || this.seatOf(parts.process.name).host !== host)
        return;
      // It ended by itself. Not in the middle of what it does.
      parts.process.nextTurn(() => this.crash(parts.process.name, RESTART_MS));
    });
    await host.worker.start();
    return host;
  }

  async #startClient(parts: NodeParts, sendsRoots: boolean): Promise<ClientHost> {
    const host = await openClient(parts, sendsRoots);
    this.#lifecycles.add(host.lifecycle);
    return host;
  }
}
