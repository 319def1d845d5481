// A service in a process of its own: node service.mjs <port>
import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import { ADAPTER_API_VERSION, contribute } from '@routine-engine/core/adapter';
import { SERVICE, service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { sample, serveParent } from './sampled-process.mjs';

const IDLE_WITHIN_MS = 20_000;
/** @type {import('@routine-engine/core/host').Service | undefined} */
let made;
const lifecycle = await Lifecycle.init({
  project: 'soak',
  name: 'service',
  plugins: [
    service({ listeners: [() => wsListener({ port: Number(process.argv[2]) })] }),
    {
      name: 'soak',
      api: `^${ADAPTER_API_VERSION}`,
      parts: [contribute(Symbol.for('soak/service'), (parts) => (made = parts.get(SERVICE)))],
    },
  ],
});
serveParent(lifecycle, {
  sample: async () => {
    await made?.whenIdle(IDLE_WITHIN_MS);
    return sample({
      ...made?.counts,
      announced: made?.announcedRuns.length ?? 0,
      routines: made?.routines.size ?? 0,
    });
  },
});
