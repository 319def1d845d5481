import { Lifecycle, subRoutinesRemote, everythingRemote, type EngineEvent } from '@routine-engine/core';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  CODEC,
  EVENT_FEED,
  EventFeed,
  EXECUTION_POLICY,
  IDS,
  LOGGER,
  provide,
  RANDOM,
  RESULT_STORE,
  ROUTINE_CATALOG,
  SERVICE_ADDRESS,
  SPOOL,
  TRANSPORT,
  type Connection,
  type EncodedCall,
  type EnginePlugin,
  type Ids,
  type Listener,
  type Logger,
  type Outcome,
  type Part,
  type PartGetter,
  type Random,
  type RunHost,
  type OfferedRoutine,
  type ResultStore,
  type Token,
  type Transport,
} from '@routine-engine/core/adapter';
import {
  CONTENTS,
  InlineExecutor,
  RESULT_CACHE,
  Service,
  WorkerNode,
  type ExecutorHost,
  type WorkerExecutor,
} from '@routine-engine/core/host';
import { map, tap } from 'rxjs';
import { memorySpool, type SimulatedProcess } from '@routine-engine/transport-inproc/simulation';
import type { Journal } from './journal.ts';
import { at, type Place } from './place.ts';
import { ServiceWatch } from './service-watch.ts';
import { mayRun, type Topology, type WorkerOptions } from './topology.ts';

const ADDRESS = 'simulated:service';
const PROJECT = 'simulated';

/** What each node is given in place of the real things. */
export interface NodeParts {
  /** Name of this start of the node, such as `worker-1#2`. */
  readonly label: string;
  readonly process: SimulatedProcess;
  readonly transport: Transport;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly journal: Journal;
  /** Where the bodies of this node run. */
  readonly place: Place;
  /** Absent: one of its own, in memory. */
  readonly store: ResultStore | undefined;
}

/** A service in a process of its own. */
export interface ServiceHost {
  readonly process: SimulatedProcess;
  readonly service: Service;
}

/** @param isCalm - as for a {@link ServiceWatch}. */
export async function startService(
  parts: NodeParts,
  topology: Topology,
  isCalm: boolean,
): Promise<ServiceHost> {
  const { process, transport, ids, logger, journal } = parts;
  const { heartbeat, queuedRuns } = topology;
  const feed = new EventFeed<EngineEvent>();
  feed.events$.subscribe((event) => journal.tellStatus(event));
  const limits = { heartbeat, ...(queuedRuns !== undefined && { queuedRuns }) };
  const service = new Service({ name: 'service', clock: process, ids, logger, feed, ...limits });
  const watch = new ServiceWatch(service, journal, topology, isCalm);
  service.serve(watched(await transport.listen(ADDRESS), watch));
  return { process, service };
}

/** Has a watch read what the service hears and sends. */
function watched(listener: Listener, watch: ServiceWatch): Listener {
  const readAlong = (connection: Connection): Connection => {
    const [, node = ''] = connection.peer.split('#');
    return {
      peer: connection.peer,
      state$: connection.state$,
      inbound$: connection.inbound$.pipe(tap(({ header }) => watch.hears(connection, node, header))),
      get full() {
        return connection.full;
      },
      send: (envelope) => {
        watch.sends(connection, node, envelope.header);
        return connection.send(envelope);
      },
      drained: () => connection.drained(),
      close: (reason) => connection.close(reason),
    };
  };
  return {
    address: listener.address,
    connections$: listener.connections$.pipe(map(readAlong)),
    close: () => listener.close(),
  };
}

/** A worker in a process of its own. */
export interface WorkerHost {
  readonly process: SimulatedProcess;
  readonly lifecycle: Lifecycle;
  readonly worker: WorkerNode;
}

/** Puts a worker together; `worker.start()` connects it. */
export async function makeWorker(parts: NodeParts, options: WorkerOptions): Promise<WorkerHost> {
  const { process, transport, random, ids, logger, journal, label } = parts;
  const { slots, inbox, remembers, zone, acceptsWork } = options;
  let worker: WorkerNode | undefined;
  const make = (get: PartGetter): WorkerNode => {
    const [codec, catalog] = [get.get(CODEC), get.get(ROUTINE_CATALOG)];
    const inline = new InlineExecutor({ codec, catalog, clock: process, ids });
    worker = new WorkerNode({
      ...{ identity: { name: process.name, project: PROJECT }, transport, address: ADDRESS, slots, inbox },
      ...(zone && { labels: { zone } }),
      ...(acceptsWork !== undefined && { acceptsWork }),
      ...{ clock: process, random, ids, logger, codec, catalog, feed: get.get(EVENT_FEED) },
      ...{ contents: get.get(CONTENTS), cache: remembers ? get.get(RESULT_CACHE) : undefined },
      executor: new PlacedExecutor(inline, parts.place, options),
    });
    return worker;
  };
  const lifecycle = await open(parts, [provide(Symbol.for('simulation/worker') as Token<WorkerNode>, make)]);
  lifecycle.events$.subscribe((event) => journal.tell(label, event));
  return { process, lifecycle, worker: worker as unknown as WorkerNode };
}

/** Runs bodies at the place of their worker, which may not offer all of them. */
class PlacedExecutor implements WorkerExecutor {
  readonly #inline: InlineExecutor;
  readonly #place: Place;
  readonly #worker: WorkerOptions;

  constructor(inline: InlineExecutor, place: Place, worker: WorkerOptions) {
    this.#inline = inline;
    this.#place = place;
    this.#worker = worker;
  }

  async start(host: ExecutorHost): Promise<readonly OfferedRoutine[]> {
    const offered = await this.#inline.start(host);
    return offered.filter((routine) => mayRun(this.#worker, routine));
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    return at(this.#place, () => this.#inline.execute(call, host));
  }

  close(): Promise<void> {
    return this.#inline.close();
  }
}

/** A client in a process of its own. */
export interface ClientHost {
  readonly process: SimulatedProcess;
  readonly lifecycle: Lifecycle;
  readonly place: Place;
}

/** Connects a client. */
export async function openClient(parts: NodeParts, sendsRoots: boolean): Promise<ClientHost> {
  const { process, transport, journal, label } = parts;
  const lifecycle = await open(parts, [
    provide(TRANSPORT, () => transport),
    provide(SERVICE_ADDRESS, () => ADDRESS),
    provide(EXECUTION_POLICY, () => (sendsRoots ? everythingRemote : subRoutinesRemote)),
  ]);
  lifecycle.events$.subscribe((event) => journal.tell(label, event));
  return { process, lifecycle, place: parts.place };
}

/** A lifecycle whose time, chance and ids are those of a simulation. */
export function open(
  parts: Pick<NodeParts, 'process' | 'random' | 'ids' | 'logger' | 'store'>,
  more: readonly Part[] = [],
): Promise<Lifecycle> {
  const { process, random, ids, logger, store } = parts;
  const plugin: EnginePlugin = {
    name: 'simulation',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(CLOCK, () => process),
      provide(RANDOM, () => random),
      provide(IDS, () => ids),
      provide(LOGGER, () => logger),
      provide(SPOOL, memorySpool),
      ...(store ? [provide(RESULT_STORE, () => store, { stop: () => store.close() })] : []),
      ...more,
    ],
  };
  return Lifecycle.init({ project: PROJECT, name: process.name, plugins: [plugin] });
}
