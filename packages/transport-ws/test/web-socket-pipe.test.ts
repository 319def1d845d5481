import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@routine-engine/core/host';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { WebSocketPipe } from '../src/web-socket-pipe.js';
import { listening } from './fixtures/ends.js';

const MESSAGE = new Uint8Array(256 * 1024);
/** More than this does not wait in a pipe and a socket together. */
const MOST_WAITING = 64 * 1024 * 1024;

/** A pipe, and the bare WebSocket at its other end. */
async function pipeAndPeer(): Promise<{
  readonly pipe: WebSocketPipe;
  /** Of the pipe. */
  readonly socket: WebSocket;
  readonly peer: WebSocket;
}> {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[WebSocket, IncomingMessage]>;
  const peer = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [socket, { socket: stream }] = await accepted;
  const pipe = new WebSocketPipe({ socket, stream, peer: 'peer', clock: systemClock, pingMs: 0 });
  if (peer.readyState !== WebSocket.OPEN) await once(peer, 'open');
  onTestFinished(() => {
    peer.terminate();
    server.close();
  });
  return { pipe, socket, peer };
}

describe('the end of a WebSocket', () => {
  it('tells the peer 1000 when the connection has done what it was for', async () => {
    const { pipe, peer } = await pipeAndPeer();
    const closed = once(peer, 'close');
    pipe.close('done');
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1000, 'done']);
    expect(await pipe.closed).toBeUndefined();
  });

  it('tells the nodes 1001 when the listener goes away', async () => {
    const listener = await listening();
    const accepted = firstValueFrom(listener.connections$);
    const peer = new WebSocket(listener.address);
    await Promise.all([once(peer, 'open'), accepted]);
    const closed = once(peer, 'close');
    await listener.close();
    const [code, reason] = (await closed) as [number, Buffer];
    expect([code, String(reason)]).toEqual([1001, 'the listener closes']);
  });

  it.each([
    [1000, undefined],
    [1001, undefined],
    [1011, 'peer ended with code 1011, without a goodbye'],
  ])('is meant, or not, as code %i of the peer says', async (code, message) => {
    const { pipe, peer } = await pipeAndPeer();
    const ended = lastValueFrom(pipe.messages$.pipe(toArray()));
    peer.close(code);
    expect((await pipe.closed)?.message).toBe(message);
    expect(await ended).toEqual([]);
  });

  it('without any code is not meant', async () => {
    const { pipe, peer } = await pipeAndPeer();
    pipe.messages$.subscribe();
    peer.terminate();
    expect((await pipe.closed)?.message).toBe('peer ended with code 1006, without a goodbye');
  });
});

describe('a WebSocket whose reader is slow', () => {
  it('tells who sends by the pipe to wait, until there is room', async () => {
    const { pipe, peer, socket } = await pipeAndPeer();
    peer.pause();
    let [sent, received] = [0, 0];
    peer.on('message', (data: Buffer) => (received += data.byteLength));
    let hasRoom = true;
    // Until the network takes nothing more.
    while (socket.bufferedAmount < 8 * 1024 * 1024) {
      hasRoom = pipe.send(MESSAGE);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent * MESSAGE.byteLength).toBeLessThan(MOST_WAITING);
    }
    expect(hasRoom).toBe(false);
    let isDrained = false;
    const room = pipe.drained().then(() => (isDrained = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isDrained).toBe(false);
    peer.resume();
    await room;
    expect(socket.bufferedAmount).toBeLessThanOrEqual(256 * 1024);
    pipe.close();
    await once(peer, 'close');
    expect(received).toBe(sent * MESSAGE.byteLength);
  });

  it('stops who sends to the pipe while it pauses, and goes on with all of it', async () => {
    const { pipe, peer } = await pipeAndPeer();
    let received = 0;
    pipe.messages$.subscribe((message) => (received += message.byteLength));
    pipe.pause();
    let sent = 0;
    // The peer can write no more once nothing is read of what it wrote.
    while (peer.bufferedAmount < 8 * 1024 * 1024) {
      peer.send(MESSAGE);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
      expect(sent * MESSAGE.byteLength).toBeLessThan(MOST_WAITING);
    }
    expect(received).toBeLessThan(sent * MESSAGE.byteLength - 4 * 1024 * 1024);
    pipe.resume();
    peer.close();
    await pipe.closed;
    expect(received).toBe(sent * MESSAGE.byteLength);
  });
});
