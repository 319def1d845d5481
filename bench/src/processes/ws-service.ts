import { Lifecycle } from '@routine-engine/core';
import { service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { usageOfProcess } from '../ws/duties.js';
import { serveParent } from './parent.js';

const listener = await wsListener();
const lifecycle = await Lifecycle.init({
  project: 'bench',
  name: 'service',
  plugins: [service({ listeners: [async () => listener] })],
});
serveParent(
  () => lifecycle.shutdown(),
  () => ({ address: listener.address, ...usageOfProcess() }),
);
