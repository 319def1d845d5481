import { Lifecycle } from '@routine-engine/core';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  CODEC,
  EVENT_FEED,
  IDS,
  LOGGER,
  RANDOM,
  NODE_IDENTITY,
  ROUTINE_CATALOG,
  provide,
  type PartGetter,
  type Token,
} from '@routine-engine/core/adapter';
import { CONTENTS, RESULT_CACHE, ThreadExecutor, WorkerNode } from '@routine-engine/core/host';
import { fsStore } from '@routine-engine/store-fs';
import { SocketTransport } from '../socket/socket-transport.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A worker process: what it is told. */
export interface WorkerOptions {
  /** Where the service listens. */
  readonly address: string;
  /** Directory of the store. Absent: nothing is remembered. */
  readonly store?: string;
}

const WORKER: Token<WorkerNode> = Symbol('worker of the benchmark') as Token<WorkerNode>;
const { address, store } = optionsOfParent<WorkerOptions>();

function makeWorker(parts: PartGetter): WorkerNode {
  const clock = parts.get(CLOCK);
  return new WorkerNode({
    identity: parts.get(NODE_IDENTITY),
    transport: new SocketTransport(clock),
    address,
    codec: parts.get(CODEC),
    clock,
    ids: parts.get(IDS),
    random: parts.get(RANDOM),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
    catalog: parts.get(ROUTINE_CATALOG),
    contents: parts.get(CONTENTS),
    cache: store === undefined ? undefined : parts.get(RESULT_CACHE),
    executor: new ThreadExecutor({
      threads: { modules: [new URL('../large/routines.js', import.meta.url)] },
      clock,
    }),
  });
}

const lifecycle = await Lifecycle.init({
  project: 'bench',
  name: 'worker',
  plugins: [
    ...(store === undefined ? [] : [fsStore({ dir: store })]),
    {
      name: 'bench worker',
      api: `^${ADAPTER_API_VERSION}`,
      parts: [
        provide(WORKER, makeWorker, { start: (worker) => worker.start(), stop: (worker) => worker.stop() }),
      ],
    },
  ],
});
serveParent(() => lifecycle.shutdown());
