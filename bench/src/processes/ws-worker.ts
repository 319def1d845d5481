import { Lifecycle } from '@routine-engine/core';
import { worker } from '@routine-engine/core/host';
import { wsTransport } from '@routine-engine/transport-ws';
import { usageOfProcess } from '../ws/duties.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A worker that dials by WebSocket: what it is told. */
export interface WsWorkerOptions {
  readonly address: string;
  readonly name: string;
}

const { address, name } = optionsOfParent<WsWorkerOptions>();
const modules = ['../routines.js', '../large/routines.js'].map((file) => new URL(file, import.meta.url));
const lifecycle = await Lifecycle.init({
  project: 'bench',
  name,
  plugins: [wsTransport({ url: address }), worker({ modules })],
});
serveParent(() => lifecycle.shutdown(), usageOfProcess);
