// A worker in a process of its own: node worker.mjs <address of the service> <name> <slots>
import { Lifecycle } from '@routine-engine/core';
import {
  CLOCK,
  CODEC,
  EVENT_FEED,
  IDS,
  LOGGER,
  NODE_IDENTITY,
  RANDOM,
  ROUTINE_CATALOG,
} from '@routine-engine/core/adapter';
import { CONTENTS, ThreadExecutor, WorkerNode } from '@routine-engine/core/host';
import { WsTransport } from '@routine-engine/transport-ws';
import { pluginOf, serveParent } from './node-parts.mjs';

const [address, name, slots] = process.argv.slice(2);

const makeWorker = (parts) =>
  new WorkerNode({
    identity: parts.get(NODE_IDENTITY),
    transport: new WsTransport({ clock: parts.get(CLOCK) }),
    address,
    codec: parts.get(CODEC),
    clock: parts.get(CLOCK),
    ids: parts.get(IDS),
    random: parts.get(RANDOM),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
    catalog: parts.get(ROUTINE_CATALOG),
    contents: parts.get(CONTENTS),
    cache: undefined,
    executor: new ThreadExecutor({
      threads: { modules: [new URL('./routines.mjs', import.meta.url)] },
      clock: parts.get(CLOCK),
    }),
    slots: Number(slots),
  });
const lifecycle = await Lifecycle.init({
  project: 'test',
  name,
  plugins: [
    pluginOf('worker', makeWorker, {
      start: (worker) => worker.start(),
      stop: (worker) => worker.stop(),
    }),
  ],
});
serveParent(lifecycle, 'ready');
