import { everythingRemote, executionPolicy, Lifecycle } from '@routine-engine/core';
import { wsTransport } from '@routine-engine/transport-ws';
import { freshArray, heldArray } from '../large/routines.js';
import { fanOut, noop } from '../routines.js';
import { perform, type ClientQuestion, type Duties } from '../ws/duties.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A client that dials by WebSocket: what it is told. */
export interface WsClientOptions {
  readonly address: string;
  /** Whether what it starts itself runs on workers, too; else only what its workflows call. */
  readonly sendsAll: boolean;
}

const { address, sendsAll } = optionsOfParent<WsClientOptions>();
const lifecycle = await Lifecycle.init({
  project: 'bench',
  name: 'client',
  plugins: [wsTransport({ url: address }), ...(sendsAll ? [executionPolicy(everythingRemote)] : [])],
});
const duties: Duties = {
  call: noop,
  fanOut,
  large: (byteLength, seed, isMoved) => (isMoved ? freshArray : heldArray)(byteLength, seed),
};
serveParent(
  () => lifecycle.shutdown(),
  (question: ClientQuestion) => perform(question, duties),
);
