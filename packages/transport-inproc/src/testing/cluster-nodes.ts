import {
  Lifecycle,
  memoryStore,
  type EngineEvent,
  type EnginePlugin,
  type Labels,
} from '@routine-engine/core';
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
  type EncodedCall,
  type Ids,
  type Logger,
  type Outcome,
  type Part,
  type PartGetter,
  type Random,
  type ResultStore,
  type RunHost,
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
  type ServiceSettings,
  type WorkerExecutor,
} from '@routine-engine/core/host';
import { memorySpool } from '../simulation/memory-spool.js';
import type { SimulatedProcess } from '../simulation/simulated-process.js';
import { byClock } from './virtual-time.js';

const ADDRESS = 'simulated:service';

/** What a node is given in place of the real things. */
export interface NodeParts {
  readonly process: SimulatedProcess;
  readonly transport: Transport;
  readonly random: Random;
  readonly ids: Ids;
  readonly logger: Logger;
  readonly project: string;
  readonly plugins: readonly EnginePlugin[];
  /** Absent: one of its own. */
  readonly store: ResultStore | undefined;
  readonly tell: (event: EngineEvent) => void;
}

/** A node that is up. */
export interface RunningNode {
  readonly process: SimulatedProcess;
  /** Absent for the service. */
  readonly lifecycle?: Lifecycle;
  /** Ends it in order. */
  stop(): Promise<void>;
}

export async function startService(parts: NodeParts, settings: ServiceSettings): Promise<RunningNode> {
  const { process, transport, ids, logger } = parts;
  const feed = new EventFeed<EngineEvent>();
  feed.events$.subscribe(parts.tell);
  const service = new Service({ ...settings, name: process.name, clock: process, ids, logger, feed });
  service.serve(await transport.listen(ADDRESS));
  return { process, stop: () => service.close() };
}

/** @param settings - slots and labels. */
export async function startWorker(
  parts: NodeParts,
  settings: { readonly slots: number; readonly labels: Labels | undefined },
): Promise<RunningNode> {
  const { process } = parts;
  let made: WorkerNode | undefined;
  const make = (get: PartGetter): WorkerNode => (made = makeWorker(parts, settings, get));
  const lifecycle = await open(parts, [
    provide(Symbol.for('test-cluster/worker') as Token<WorkerNode>, make),
  ]);
  const worker = made as unknown as WorkerNode;
  await worker.start();
  const stop = async (): Promise<void> => {
    await worker.stop();
    await lifecycle.shutdown();
  };
  return { process, lifecycle, stop };
}

export async function startClient(
  parts: NodeParts,
): Promise<RunningNode & { readonly lifecycle: Lifecycle }> {
  const { process, transport } = parts;
  const lifecycle = await open(parts, [
    provide(TRANSPORT, () => transport),
    provide(SERVICE_ADDRESS, () => ADDRESS),
  ]);
  return { process, lifecycle, stop: () => lifecycle.shutdown() };
}

/** A store that outlives the nodes which share it. */
export function sharedStore(process: SimulatedProcess, ids: Ids): ResultStore {
  const given = new Map<symbol, unknown>([
    [IDS, ids],
    [CLOCK, process],
  ]);
  const identity = { name: process.name };
  const parts = { get: (token: symbol) => given.get(token) ?? identity } as unknown as PartGetter;
  const part = memoryStore().parts.find(({ token }) => token === RESULT_STORE);
  return part?.build(parts) as ResultStore;
}

/** Whether one of the plugins brings the part. What is no plugin is refused by the lifecycle that gets it. */
export function provides(plugins: readonly EnginePlugin[], part: symbol): boolean {
  return plugins.some(({ parts }) => Array.isArray(parts) && parts.some(({ token }) => token === part));
}

/** A lifecycle whose time, chance and ids are those of its process. */
function open(parts: NodeParts, more: readonly Part[]): Promise<Lifecycle> {
  const { process, random, ids, logger, store, project, tell } = parts;
  const plugin: EnginePlugin = {
    name: '@routine-engine/transport-inproc testCluster()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(CLOCK, () => process),
      provide(RANDOM, () => random),
      provide(IDS, () => ids),
      provide(LOGGER, () => logger),
      provide(SPOOL, memorySpool),
      // From the first one on: what happens while it starts is told as well.
      provide(Symbol.for('test-cluster/events') as Token<unknown>, (get) =>
        get.get(EVENT_FEED).events$.subscribe(tell),
      ),
      ...(store ? [provide(RESULT_STORE, () => store)] : []),
      ...more,
    ],
  };
  return Lifecycle.init({ project, name: process.name, plugins: [...parts.plugins, plugin] });
}

function makeWorker(
  parts: NodeParts,
  { slots, labels }: { readonly slots: number; readonly labels: Labels | undefined },
  get: PartGetter,
): WorkerNode {
  const { process, transport, random, ids, logger, project, plugins } = parts;
  const [codec, catalog] = [get.get(CODEC), get.get(ROUTINE_CATALOG)];
  return new WorkerNode({
    ...{ identity: { name: process.name, project }, transport, address: ADDRESS, slots },
    ...(labels && { labels }),
    ...(provides(plugins, EXECUTION_POLICY) && { policy: get.get(EXECUTION_POLICY) }),
    ...{ clock: process, random, ids, logger, codec, catalog, feed: get.get(EVENT_FEED) },
    ...{ contents: get.get(CONTENTS), cache: get.get(RESULT_CACHE) },
    executor: new ProcessExecutor(new InlineExecutor({ codec, catalog, clock: process, ids }), process),
  });
}

/** Runs bodies in this thread as if they ran in a simulated process: what they come to is known only while that runs. */
class ProcessExecutor implements WorkerExecutor {
  readonly #inline: InlineExecutor;
  readonly #process: SimulatedProcess;

  constructor(inline: InlineExecutor, process: SimulatedProcess) {
    this.#inline = inline;
    this.#process = process;
  }

  start(host: ExecutorHost): ReturnType<WorkerExecutor['start']> {
    return this.#inline.start(host);
  }

  async execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const outcome = await byClock(this.#process, () => this.#inline.execute(call, host));
    await new Promise<void>((resolve) => this.#process.nextTurn(resolve));
    return outcome;
  }

  close(): Promise<void> {
    return this.#inline.close();
  }
}
