import { createServer, type Socket } from 'node:net';
import { LIMITS } from '@routine-engine/core/adapter';
import { arrayOf } from '../large/pattern.js';
import { SocketPipe } from '../socket/socket-pipe.js';
import { optionsOfParent, serveParent } from './parent.js';

/** A process that gives bytes of one length whenever somebody asks: what it is told. */
export interface RawSourceOptions {
  readonly byteLength: number;
  /** Path of the socket that gives them as messages of a pipe, for each message that comes. */
  readonly pipe: string;
  /** Path of the socket that gives them as they are, for each byte that comes. */
  readonly stream: string;
}

const { byteLength, pipe, stream } = optionsOfParent<RawSourceOptions>();
const array = arrayOf(byteLength, 0);
const bytes = new Uint8Array(array.buffer);

function* chunks(): Generator<Uint8Array> {
  for (let at = 0; at < byteLength; at += LIMITS.chunkBytes) yield bytes.subarray(at, at + LIMITS.chunkBytes);
}

async function sendMessages(to: SocketPipe): Promise<void> {
  for (const chunk of chunks()) if (!to.send(chunk)) await to.drained();
}

async function sendStream(to: Socket): Promise<void> {
  for (const chunk of chunks()) {
    if (!to.write(chunk)) await new Promise<void>((resolve) => to.once('drain', resolve));
  }
}

const servers = [
  createServer({ pauseOnConnect: true }, (socket) => {
    const one = new SocketPipe(socket, pipe);
    one.messages$.subscribe(() => void sendMessages(one));
  }).listen(pipe),
  createServer((socket) => socket.on('data', () => void sendStream(socket))).listen(stream),
];
serveParent(async () => {
  for (const server of servers) server.close();
});
