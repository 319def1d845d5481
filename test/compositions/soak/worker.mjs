// A worker in a process of its own: node worker.mjs <port of the service> <name> <directory of the store>
import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import { ADAPTER_API_VERSION, contribute } from '@routine-engine/core/adapter';
import { WORKER, worker } from '@routine-engine/core/host';
import { fsStore } from '@routine-engine/store-fs';
import { wsTransport } from '@routine-engine/transport-ws';
import { sample, serveParent } from './sampled-process.mjs';

const [port, name, dir = ''] = process.argv.slice(2);
/** @type {import('@routine-engine/core/host').WorkerNode[]} */
let made = [];
const lifecycle = await Lifecycle.init({
  project: 'soak',
  name,
  plugins: [
    wsTransport({ url: `ws://127.0.0.1:${port}/` }),
    fsStore({ dir, fsync: false }),
    worker({ modules: [new URL('./routines.mjs', import.meta.url)], slots: 1, graceMs: 0 }),
    {
      name: 'soak',
      api: `^${ADAPTER_API_VERSION}`,
      parts: [contribute(Symbol.for('soak/worker'), (parts) => (made = [...parts.all(WORKER)]))],
    },
  ],
});
serveParent(lifecycle, { sample: () => sample({ ...made[0]?.counts }) });
