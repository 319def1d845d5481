import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Packr } from 'msgpackr';
import { WebSocketServer, type WebSocket } from 'ws';
import { usageOfProcess } from '../ws/duties.js';
import { CHUNK_LEAST_BYTES, RawSocket, type RawOptions } from '../ws/raw-socket.js';
import { optionsOfParent, serveParent } from './parent.js';

// The least a relay can do: it reads of each message for whom it is, and passes the same bytes on.

const options = optionsOfParent<RawOptions>();
const packr = new Packr({ useRecords: false });
const workers: RawSocket[] = [];
let client: RawSocket | undefined;

function toWorker(message: Buffer): void {
  const [id] = packr.unpack(message) as [number];
  workers[id % workers.length]?.send(message);
}

function toClient(message: Buffer, from: WebSocket): void {
  if (message.byteLength >= CHUNK_LEAST_BYTES) {
    if (client?.send(message, () => from.resume()) === false) from.pause();
    return;
  }
  const [id] = packr.unpack(message) as [number];
  if (id > 0) client?.send(message);
}

const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
server.on('connection', (socket, request: IncomingMessage) => {
  const raw = new RawSocket(socket, request.socket, options);
  if (request.url === '/worker') {
    workers.push(raw);
    socket.on('message', (message: Buffer) => toClient(message, socket));
  } else {
    client = raw;
    socket.on('message', toWorker);
  }
});
await once(server, 'listening');
const address = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
serveParent(
  async () => {
    for (const socket of server.clients) socket.close();
    server.close();
  },
  () => ({ address, ...usageOfProcess() }),
);
