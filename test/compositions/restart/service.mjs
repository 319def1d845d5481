// A service in a process of its own: node service.mjs <port, or 0 for any>. Tells its parent the port.
import { Lifecycle } from '@routine-engine/core';
import { CLOCK, EVENT_FEED, IDS, LOGGER } from '@routine-engine/core/adapter';
import { Service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { pluginOf, serveParent } from './node-parts.mjs';

const listener = await wsListener({ port: Number(process.argv[2]) });

const makeService = (parts) =>
  new Service({
    name: 'service',
    clock: parts.get(CLOCK),
    ids: parts.get(IDS),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
  });
const lifecycle = await Lifecycle.init({
  project: 'test',
  name: 'service',
  plugins: [
    pluginOf('service', makeService, {
      start: (service) => service.serve(listener),
      stop: (service) => service.close(),
    }),
  ],
});
serveParent(lifecycle, listener.address);
