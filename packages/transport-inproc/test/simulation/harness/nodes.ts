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
  type HeartbeatLimits,
  type WorkerExecutor,
} from '@routine-engine/core/host';
import { tap } from 'rxjs';
import type { SimulatedProcess } from '@routine-engine/transport-inproc/simulation';
import type { Journal } from './journal.ts';
import { at, type Place } from './routines.ts';
import { memorySpool } from './simulated-store.ts';

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
  /** Absent: one of its own, in memory. */
  readonly store: ResultStore | undefined;
}

/** A service in a process of its own. */
export class ServiceHost {
  readonly process: SimulatedProcess;
  readonly service: Service;

  constructor({ process, ids, logger, journal }: NodeParts, heartbeat: HeartbeatLimits) {
    this.process = process;
    const feed = new EventFeed<EngineEvent>();
    feed.events$.subscribe((event) => journal.tellStatus(event));
    this.service = new Service({
      ...{ name: 'service', clock: process, ids, logger, heartbeat, feed },
    });
  }

  async start({ transport, journal }: NodeParts): Promise<void> {
    this.service.serve(watched(await transport.listen(ADDRESS), journal));
  }
}

/** Has a journal hear what the service sends. */
function watched(listener: Listener, journal: Journal): Listener {
  const watch = (connection: Connection): void => {
    const send = connection.send.bind(connection);
    connection.send = (envelope) => {
      journal.serviceSends(envelope.header);
      return send(envelope);
    };
  };
  return {
    address: listener.address,
    connections$: listener.connections$.pipe(tap(watch)),
    close: () => listener.close(),
  };
}

/** A worker in a process of its own. */
export class WorkerHost {
  readonly process: SimulatedProcess;
  readonly lifecycle: Lifecycle;
  readonly worker: WorkerNode;

  private constructor(process: SimulatedProcess, lifecycle: Lifecycle, worker: WorkerNode) {
    this.process = process;
    this.lifecycle = lifecycle;
    this.worker = worker;
  }

  /** Puts it together; `worker.start()` connects it. */
  static async make(
    parts: NodeParts,
    options: { readonly slots: number; readonly inbox: number; readonly remembers: boolean },
  ): Promise<WorkerHost> {
    const { process, transport, journal, label } = parts;
    const { remembers, ...limits } = options;
    let worker: WorkerNode | undefined;
    const make = (get: PartGetter): WorkerNode => {
      const [clock, codec, catalog, ids] = [
        get.get(CLOCK),
        get.get(CODEC),
        get.get(ROUTINE_CATALOG),
        get.get(IDS),
      ];
      worker = new WorkerNode({
        ...{ ...limits, identity: { name: process.name, project: PROJECT }, transport, address: ADDRESS },
        ...{
          clock,
          codec,
          catalog,
          ids,
          random: get.get(RANDOM),
          logger: get.get(LOGGER),
          feed: get.get(EVENT_FEED),
        },
        ...{ contents: get.get(CONTENTS), cache: remembers ? get.get(RESULT_CACHE) : undefined },
        executor: new PlacedExecutor(new InlineExecutor({ codec, catalog, clock, ids }), placeOf(parts)),
      });
      return worker;
    };
    const lifecycle = await open(parts, [
      provide(Symbol.for('simulation/worker') as Token<WorkerNode>, make),
    ]);
    lifecycle.events$.subscribe((event) => journal.tell(label, event));
    return new WorkerHost(process, lifecycle, worker as unknown as WorkerNode);
  }
}

/** Runs bodies at the place of their worker. */
class PlacedExecutor implements WorkerExecutor {
  readonly #inline: InlineExecutor;
  readonly #place: Place;

  constructor(inline: InlineExecutor, place: Place) {
    this.#inline = inline;
    this.#place = place;
  }

  start(host: ExecutorHost): Promise<readonly OfferedRoutine[]> {
    return this.#inline.start(host);
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    return at(this.#place, () => this.#inline.execute(call, host));
  }

  close(): Promise<void> {
    return this.#inline.close();
  }
}

/** A client in a process of its own. */
export class ClientHost {
  readonly process: SimulatedProcess;
  readonly lifecycle: Lifecycle;
  readonly place: Place;

  private constructor(process: SimulatedProcess, lifecycle: Lifecycle, place: Place) {
    this.process = process;
    this.lifecycle = lifecycle;
    this.place = place;
  }

  /** Connects it. */
  static async open(parts: NodeParts, sendsRoots: boolean): Promise<ClientHost> {
    const lifecycle = await open(parts, [
      provide(TRANSPORT, () => parts.transport),
      provide(SERVICE_ADDRESS, () => ADDRESS),
      provide(EXECUTION_POLICY, () => (sendsRoots ? everythingRemote : subRoutinesRemote)),
    ]);
    lifecycle.events$.subscribe((event) => parts.journal.tell(parts.label, event));
    return new ClientHost(parts.process, lifecycle, placeOf(parts));
  }
}

function placeOf({ process, label, journal }: NodeParts): Place {
  return {
    process,
    bodyBegins: (...body) => journal.bodyBegins(label, ...body),
  };
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
