import { Contents } from '../../src/cache/contents.js';
import { ResultCache } from '../../src/cache/result-cache.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { registry } from '../../src/define/registry.js';
import type { EngineEvent } from '../../src/events/engine-event.js';
import { EventFeed } from '../../src/events/event-feed.js';
import { systemRandom } from '../../src/lifecycle/platform/system-random.js';
import { uuidIds } from '../../src/lifecycle/platform/uuid-ids.js';
import type { ResultStore } from '../../src/ports/result-store.js';
import { ThreadExecutor } from '../../src/thread/thread-executor.js';
import { WorkerNode } from '../../src/worker/worker-node.js';
import type { Turns } from '../protocol/memory-pipe.js';
import type { PipedCluster } from './piped-cluster.js';
import { memorySpool } from './shared-store.js';

/** Takes turns until a promise settles: threads take their own time. */
export async function live<T>(turns: Turns, promise: Promise<T>): Promise<T> {
  let isSettled = false;
  const settled = (): void => void (isSettled = true);
  promise.then(settled, settled);
  while (!isSettled) await turns.settle();
  return promise;
}

/** A real worker of a cluster, with a background thread; it is to be started. */
export function liveWorker(cluster: PipedCluster, store: ResultStore, module: URL): WorkerNode {
  const feed = new EventFeed<EngineEvent>();
  const codec = new MsgpackrCodec();
  const shared = { clock: cluster.turns, feed, node: 'worker', store };
  const contents = new Contents({ ...shared, spool: memorySpool() });
  return new WorkerNode({
    ...{ identity: { name: 'worker', project: 'test' }, transport: cluster.transport },
    ...{ address: 'piped:service', codec, clock: cluster.turns, ids: uuidIds, random: systemRandom, feed },
    ...{ catalog: registry, logger: { log: () => undefined }, contents },
    cache: new ResultCache({ ...shared, contents, codec }),
    executor: new ThreadExecutor({ threads: { modules: [module] }, clock: cluster.turns }),
  });
}
