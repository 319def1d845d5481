// A service in a process of its own: node service.mjs <port, or 0 for any>. Tells its parent the port.
import { Lifecycle } from '@routine-engine/core';
import { service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { serveParent } from './serve-parent.mjs';

const listener = await wsListener({ port: Number(process.argv[2]) });
const lifecycle = await Lifecycle.init({
  project: 'test',
  name: 'service',
  plugins: [service({ listeners: [async () => listener] })],
});
serveParent(lifecycle, listener.address);
