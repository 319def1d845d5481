import {
  ADAPTER_API_VERSION,
  LIMITS,
  RoutineEngineError,
  SERVICE_ADDRESS,
  TRANSPORT,
  provide,
  type EnginePlugin,
  type PartGetter,
  type Token,
  type Transport,
} from '@routine-engine/core/adapter';
import {
  makeService,
  makeWorker,
  type HeartbeatLimits,
  type Labels,
  type ThreadOptions,
} from '@routine-engine/core/host';
import { InprocTransport, type InprocOptions } from './inproc-transport.js';

/** How an embedded cluster is made. @public */
export interface EmbeddedClusterOptions extends ThreadOptions, InprocOptions {
  /** How many workers; each runs one routine at a time on a background thread of its own. */
  readonly workers: number;
  /** How late a worker's pulse may be. */
  readonly heartbeat?: HeartbeatLimits;
  /** How many runs may wait for a worker; one beyond them fails with `QUEUE_FULL`. Default `LIMITS.queuedRuns`. */
  readonly queuedRuns?: number;
  /** Labels of each worker, by its number from 1 on, which runs may require. Default: none. */
  readonly labels?: (worker: number) => Labels;
}

/** A service and its workers, in this process. */
interface Cluster {
  start(): Promise<void>;
  stop(): Promise<void>;
  readonly transport: Transport;
}

const CLUSTER: Token<Cluster> = Symbol.for('@routine-engine/embedded-cluster') as Token<Cluster>;
const ADDRESS = 'inproc:service';
const MOST_WORKERS = 1_024;

/**
 * A whole cluster in this process: a service and workers, each with a background thread. What this process starts
 * runs here; the routines it calls run on the threads.
 * @throws `OPTION_INVALID` for a number of workers that is not 1 to 1,024; at init, `ROUTINE_MODULE_FAILED`
 *   when a module of `modules` can't be loaded in a thread.
 * @public
 */
export function embeddedCluster(options: EmbeddedClusterOptions): EnginePlugin {
  const { workers } = options;
  if (!Number.isInteger(workers) || workers < 1 || workers > MOST_WORKERS) {
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `embeddedCluster: workers is ${workers}; it must be 1 to ${MOST_WORKERS}`,
    );
  }
  return {
    name: '@routine-engine/transport-inproc embeddedCluster()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(CLUSTER, (parts) => makeCluster(options, parts), {
        start: (cluster) => cluster.start(),
        stop: (cluster) => cluster.stop(),
      }),
      provide(TRANSPORT, (parts) => parts.get(CLUSTER).transport),
      // Through the cluster, so that it has started before anybody dials its address.
      provide(SERVICE_ADDRESS, (parts) => (parts.get(CLUSTER), ADDRESS)),
    ],
  };
}

function makeCluster(options: EmbeddedClusterOptions, parts: PartGetter): Cluster {
  const { workers: count, heartbeat, queuedRuns, labels, windowBytes, ...threads } = options;
  const transport = new InprocTransport(windowBytes === undefined ? {} : { windowBytes });
  const service = makeService(parts, 'service', {
    ...(heartbeat && { heartbeat }),
    ...(queuedRuns !== undefined && { queuedRuns }),
  });
  const workers = Array.from({ length: count }, (_, index) => {
    const place = { name: `worker-${index + 1}`, transport, address: ADDRESS };
    return makeWorker(parts, place, { ...threads, ...(labels && { labels: labels(index + 1) }) });
  });
  const stop = async (): Promise<void> => {
    // Whoever waited for a run is gone by now: those of triggers are left.
    await service.whenIdle(LIMITS.drainMs);
    await Promise.all(workers.map((worker) => worker.stop()));
    await service.close();
  };
  return {
    transport,
    stop,
    async start() {
      service.serve(await transport.listen(ADDRESS));
      const started = await Promise.allSettled(workers.map((worker) => worker.start()));
      const failure = started.find((result) => result.status === 'rejected');
      if (!failure) return;
      await stop();
      throw failure.reason;
    },
  };
}
