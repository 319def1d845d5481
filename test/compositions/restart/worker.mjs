// A worker in a process of its own: node worker.mjs <address of the service> <name> <slots>
import { Lifecycle } from '@routine-engine/core';
import { worker } from '@routine-engine/core/host';
import { wsTransport } from '@routine-engine/transport-ws';
import { serveParent } from './serve-parent.mjs';

const [url, name, slots] = process.argv.slice(2);

const lifecycle = await Lifecycle.init({
  project: 'test',
  name,
  plugins: [
    wsTransport({ url }),
    worker({ modules: [new URL('./routines.mjs', import.meta.url)], slots: Number(slots), graceMs: 0 }),
  ],
});
serveParent(lifecycle, 'ready');
