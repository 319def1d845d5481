import { once } from 'node:events';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { Clock, DirectiveHeader, Listener } from '@routine-engine/core/adapter';
import { firstValueFrom } from 'rxjs';
import { systemClock } from '@routine-engine/core/host';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket, type ClientOptions } from 'ws';
import type { WsListenerOptions } from '../src/index.js';
import { authority, ofService } from './fixtures/certificates.js';
import { heardUntilEnd, inbox, listening, rawSocket, transport } from './fixtures/ends.js';
import { Node, runs, serving } from './fixtures/nodes.js';

const KEY = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
const upgrade = (more = ''): string =>
  `GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n${KEY}\r\n${more}\r\n`;

/** A service with a worker and a client that do as they should; what they have begun ends well. */
async function cluster(options: WsListenerOptions = {}, clock?: Clock) {
  const { service, listener, logged } = await serving(options, clock);
  const worker = await Node.worker(listener);
  const client = await Node.client(listener);
  await runs(client, worker, 'before');
  const othersGoOn = (runId = 'after'): Promise<void> => runs(client, worker, runId);
  return { service, listener, logged, worker, client, othersGoOn };
}

async function upgraded(socket: Socket, more = ''): Promise<string> {
  socket.write(upgrade(more));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  return answer.toString('latin1');
}

/** What a socket says, until that is among it or it ends. */
async function heardUntil(socket: Socket, wanted: string): Promise<string> {
  let heard = '';
  for await (const chunk of socket) {
    heard += (chunk as Buffer).toString('latin1');
    if (heard.includes(wanted)) break;
  }
  return heard;
}

/** The code that a WebSocket is closed with. */
async function closeCode(
  address: string,
  send: (raw: Socket, socket: WebSocket) => void,
  options?: ClientOptions,
) {
  const socket = new WebSocket(address, options);
  socket.on('error', () => undefined);
  const [response] = (await once(socket, 'upgrade')) as [{ socket: Socket }];
  if (socket.readyState !== WebSocket.OPEN) await once(socket, 'open');
  send(response.socket, socket);
  return (await once(socket, 'close'))[0] as number;
}

/** A frame as it lies on the wire, masked with nothing. */
function frame(first: number, payload: Buffer, length: readonly number[] = [0x80 | payload.length]): Buffer {
  return Buffer.concat([Buffer.from([first, ...length, 0, 0, 0, 0]), payload]);
}

describe('who says nothing, or ever less,', () => {
  it.each([
    ['by TCP', {}],
    ['where TLS was due', { tls: ofService }],
  ])('%s is cut off, and others go on', async (_how, options) => {
    const listener = await listening({ ...options, limits: { handshakeMs: 200 } });
    const socket = await rawSocket(listener);
    await heardUntilEnd(socket);
    const here = await transport({ tls: { ca: authority } }).dial(listener.address);
    expect(await firstValueFrom(here.state$)).toBe('open');
  });

  it('after a TLS handshake is cut off', async () => {
    const listener = await listening({ tls: ofService, limits: { handshakeMs: 200 } });
    const { hostname, port } = new URL(listener.address);
    const socket = connectTls({ host: hostname, port: Number(port), ca: authority });
    onTestFinished(() => void socket.destroy());
    await once(socket, 'secureConnect');
    expect(await heardUntilEnd(socket)).toContain('408');
  });

  it.each([
    ['says no hello', () => undefined],
    ['says it in pieces without an end', (socket: Socket) => socket.write(frame(0x02, Buffer.from([0])))],
    [
      'begins a frame and leaves it at that',
      (socket: Socket) => socket.write(Buffer.from([0x82, 0xfe, 0xff])),
    ],
  ])('and %s after the upgrade is cut off, and others go on', async (_what, dribble) => {
    // Only the time for a hello is short.
    const hurried: Clock = {
      ...systemClock,
      now: () => systemClock.now(),
      monotonic: () => systemClock.monotonic(),
      after: (milliseconds, callback, options) =>
        systemClock.after(milliseconds === 10_000 ? 100 : milliseconds, callback, options),
      nextTurn: (callback) => systemClock.nextTurn(callback),
    };
    const { listener, othersGoOn } = await cluster({}, hurried);
    const socket = await rawSocket(listener);
    await upgraded(socket);
    dribble(socket);
    expect(await heardUntil(socket, 'no hello came')).toContain('no hello came');
    await othersGoOn();
  });
});

describe('what is no request to connect', () => {
  it.each([
    ['garbage', Buffer.alloc(2_000, 0xfe), '400'],
    ['a request for another version of WebSocket', upgrade().replace('13', '7'), '400'],
    ['a request with a key that is none', upgrade().replace(KEY, 'Sec-WebSocket-Key: x'), '400'],
    ['a request with a body', upgrade('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n'), '400'],
  ])('is answered with its code: %s', async (_what, sent, status) => {
    const { listener, othersGoOn } = await cluster();
    const socket = await rawSocket(listener);
    socket.write(sent);
    expect(await heardUntilEnd(socket)).toContain(`HTTP/1.1 ${status} `);
    await othersGoOn();
  });
});

describe('a frame', () => {
  it.each<[string, Buffer, number]>([
    ['that declares 2^62 bytes', frame(0x82, Buffer.of(), [0xff, 0x40, 0, 0, 0, 0, 0, 0, 0]), 1009],
    ['of text that is no UTF-8', frame(0x81, Buffer.from([0xc3, 0x28])), 1007],
    ['that closes with a reason that is no UTF-8', frame(0x88, Buffer.from([0x03, 0xe8, 0xc3, 0x28])), 1007],
    ['that claims to be compressed', frame(0xc2, Buffer.from([0x4b, 0x04, 0x00])), 1002],
    ['with reserved bits', frame(0xb2, Buffer.of(1)), 1002],
    ['of an unknown kind', frame(0x83, Buffer.of(1)), 1002],
    ['that goes on with nothing', frame(0x80, Buffer.of(1)), 1002],
    ['that is a ping in pieces', frame(0x09, Buffer.of(1)), 1002],
    ['that is a ping of 200 bytes', frame(0x89, Buffer.alloc(200), [0xfe, 0, 200]), 1002],
    ['without a mask', Buffer.from([0x82, 0x01, 0x01]), 1002],
  ])('%s ends its connection with its code, and others go on', async (_what, bytes, code) => {
    const { listener, othersGoOn } = await cluster();
    expect(await closeCode(listener.address, (raw) => raw.write(bytes))).toBe(code);
    await othersGoOn();
  });
});

it('compression is not taken up, however it is offered', async () => {
  const socket = await rawSocket(await listening());
  const answer = await upgraded(
    socket,
    'Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n',
  );
  expect(answer).toContain('101 Switching Protocols');
  expect(answer.toLowerCase()).not.toContain('extensions');
});

describe('a greeting', () => {
  it.each([
    ['of another protocol', { protocols: [99] }, 'PROTOCOL_VERSION', /speaks protocol 99, the service 1/],
    ['with another codec', { codec: 'other-1' }, 'CODEC_MISMATCH', /other-1/],
    ['with a name that is too long', { name: 'n'.repeat(501) }, 'PROTOCOL_MALFORMED', /name/],
    ['of another kind', { type: 'v1.routine.ack' }, 'PROTOCOL_MALFORMED', /not with hello/],
  ])('%s is refused with its code, and others go on', async (_what, hello, code, message) => {
    const { listener, othersGoOn } = await cluster();
    const node = await Node.greet(listener, 'client', 'stranger', hello);
    const { error } = await node.hears('refused');
    expect(error).toMatchObject({ code, message: expect.stringMatching(message) });
    await node.closed;
    await othersGoOn();
  });
});

/** Sockets from another address, no more at once than the kernel keeps for a listener. */
async function crowd(listener: Listener, count: number): Promise<Socket[]> {
  const sockets: Socket[] = [];
  for (let left = count; left > 0; left -= 250) {
    const few = Array.from({ length: Math.min(left, 250) }, () => rawSocket(listener, '127.0.0.2'));
    sockets.push(...(await Promise.all(few)));
  }
  return sockets;
}

describe('thousands of connections', () => {
  it('of one address are refused beyond its share, and others get in', async () => {
    const { listener, othersGoOn } = await cluster();
    const sockets = await crowd(listener, 1_500);
    const statuses = await Promise.all(sockets.map(async (socket) => (await upgraded(socket)).slice(9, 12)));
    const open = statuses.filter((status) => status === '101').length;
    expect([open, statuses.filter((status) => status === '503').length]).toEqual([1_024, 476]);
    await othersGoOn();
    await Node.client(listener, 'newcomer');
  });

  it('that say nothing are dropped beyond the share of their address, and others get in', async () => {
    const { listener, othersGoOn } = await cluster({
      limits: { connections: 2_000, connectionsPerAddress: 500 },
    });
    const sockets = await crowd(listener, 2_500);
    let dropped = 0;
    await new Promise<void>((resolve) => {
      const count = (): void => {
        dropped += 1;
        if (dropped === 1_500) resolve();
      };
      for (const socket of sockets) {
        if (socket.destroyed) count();
        else socket.once('close', count).resume();
      }
    });
    await Node.client(listener, 'newcomer');
    await othersGoOn();
    expect(dropped).toBe(1_500);
  });

  it('leave their places to those who come after them', async () => {
    const listener = await listening({ limits: { connectionsPerAddress: 10 } });
    let gone: Promise<void>[] = [];
    listener.connections$.subscribe((connection) => gone.push(inbox(connection).completed));
    for (let round = 0; round < 5; round += 1) {
      const sockets = await Promise.all(Array.from({ length: 10 }, () => rawSocket(listener)));
      const answers = await Promise.all(sockets.map((socket) => upgraded(socket)));
      expect(answers.filter((answer) => answer.includes(' 101 '))).toHaveLength(10);
      for (const socket of sockets) socket.destroy();
      await Promise.all(gone);
      gone = [];
    }
  });

  it('that are slow to authenticate leave handshakes to those of other addresses', async () => {
    const listener = await listening({
      limits: { handshakes: 8 },
      auth: { authenticate: ({ headers }) => (headers['x-slow'] ? new Promise(() => undefined) : {}) },
    });
    const slow = await Promise.all(Array.from({ length: 10 }, () => rawSocket(listener, '127.0.0.2')));
    const refused = slow.map((socket) => once(socket, 'data').then(([data]) => String(data).slice(9, 12)));
    for (const socket of slow) socket.write(upgrade('X-Slow: yes\r\n'));
    expect(await Promise.race(refused)).toBe('503');
    await transport().dial(listener.address);
  });
});

describe('a peer that reads nothing', () => {
  it('and pings on and on is cut off', async () => {
    const { listener, othersGoOn } = await cluster();
    const socket = await rawSocket(listener);
    await upgraded(socket);
    socket.pause();
    const pings = Buffer.concat(Array.from({ length: 1_000 }, () => frame(0x89, Buffer.alloc(125))));
    let isClosed = false;
    const either = (): Promise<void> =>
      new Promise((resolve) =>
        socket.once('drain', resolve).once('close', () => ((isClosed = true), resolve())),
      );
    while (!isClosed) if (!socket.write(pings)) await either();
    expect(socket.destroyed).toBe(true);
    await othersGoOn();
  });

  it('and asks on and on is cut off, and others go on', async () => {
    const { listener, logged, client, othersGoOn } = await cluster();
    const unknown = `tname:test:${'u'.repeat(150)}:1.0.0`;
    for (let run = 0; run < 1_000; run += 1) client.request(`waits-${run}`, { routineId: unknown });
    await client.hears('v1.routine.waiting', 'waits-999');
    const here = await transport().dial(listener.address);
    const greeting = { type: 'hello', protocols: [1], role: 'client', name: 'deaf', codec: 'msgpackr-1' };
    here.send({ header: { ...greeting, serializers: [] } });
    const { header } = await firstValueFrom(here.inbound$);
    const isCutOff = (): boolean =>
      logged.some((line) => line.includes('what deaf does not read has come to 67108864 bytes'));
    const ask = {
      type: 'v1.service.ask',
      question: 'runs',
      filter: { limit: 1_000 },
      session: header['session'],
    };
    for (let sequence = 1; !isCutOff() && sequence < 2_000; sequence += 1) {
      here.send({ header: { ...ask, ask: 'all', sequence } });
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(isCutOff()).toBe(true);
    await othersGoOn();
    // Now it reads, and so hears the end.
    await inbox(here).completed;
  });
});

describe('a worker that lies', () => {
  /** A worker that was given the run `own`, and another that was given `run`. */
  async function liar() {
    const { listener, logged, client, worker } = await cluster();
    client.request('run');
    const other = await worker.hears('v1.routine.request_start', 'run');
    const lying = await Node.worker(listener, 'liar');
    client.request('own');
    const own = await lying.hears('v1.routine.request_start', 'own');
    return { listener, logged, client, worker, lying, own, other };
  }

  it.each<[string, (own: DirectiveHeader, other: DirectiveHeader) => DirectiveHeader]>([
    ['the run', (own) => ({ ...own, runId: 'run' })],
    ['the attempt', (own) => ({ ...own, attempt: 7 })],
  ])('about %s of its lease is cut off, and its run goes elsewhere', async (_what, told) => {
    const { client, worker, lying, own, other, logged } = await liar();
    lying.complete(told(own, other));
    await lying.closed;
    expect(logged.join('\n')).toContain("liar sent what can't be read");
    worker.complete(other);
    worker.complete(await worker.hears('v1.routine.request_start', 'own'));
    for (const run of ['run', 'own']) await client.hears('v1.routine.completed', run);
    expect(client.heard.filter(({ type }) => type === 'v1.routine.completed')).toHaveLength(3);
  });

  it.each<[string, (own: DirectiveHeader, other: DirectiveHeader) => DirectiveHeader[]]>([
    ['has the lease of another', (_own, other) => [{ ...other }]],
    ['has a lease that nobody was given', (own) => [{ ...own, lease: Number(own['lease']) + 1_000 }]],
    ['has no lease', (own) => [{ ...own, lease: 0 }]],
    ['ends its own twice', (own) => [own, own]],
  ])('and says that it %s is not listened to', async (_what, lies) => {
    const { client, worker, lying, own, other } = await liar();
    const failed = {
      type: 'v1.routine.failed',
      cancelled: false,
      again: 'no',
      error: { name: 'Error', message: 'no' },
    };
    for (const { runId, attempt, lease } of lies(own, other)) {
      lying.complete({ runId, attempt, lease });
      lying.say({ ...failed, runId, attempt, lease });
      lying.say({ type: 'v1.routine.progress', runId, attempt, lease, done: 1 });
    }
    lying.complete(own);
    await client.hears('v1.routine.completed', 'own');
    worker.complete(other);
    await client.hears('v1.routine.completed', 'run');
    expect(client.heard.filter(({ type }) => type === 'v1.routine.completed')).toHaveLength(3);
    expect(client.heard.filter(({ type }) => type === 'v1.routine.failed')).toEqual([]);
  });

  it('that it holds the run of another, and acknowledges and cancels for others, changes nothing', async () => {
    const { listener, client, worker, lying, own, other } = await liar();
    const { runId, attempt, lease } = other;
    lying.say({ type: 'v1.routine.ack', runs: [{ runId, attempt, lease }] });
    lying.say({ type: 'v1.routine.cancel', runId, attempt, lease, error: { name: 'Error', message: 'no' } });
    lying.complete(own);
    await client.hears('v1.routine.completed', 'own');
    const second = await Node.greet(listener, 'worker', 'second liar');
    await second.hears('welcome');
    second.say({ type: 'v1.worker.holds', runs: [{ runId, attempt, lease, state: 'running' }] });
    second.say({ type: 'v1.worker.ready', routines: [], slots: 1, inbox: 0 });
    expect(await second.hears('v1.routine.cancel', 'run')).toMatchObject({ lease });
    second.complete(other);
    worker.complete(other);
    await client.hears('v1.routine.completed', 'run');
    expect(client.heard.filter(({ type }) => type === 'v1.routine.completed')).toHaveLength(3);
    expect(worker.heard.filter(({ type }) => type === 'v1.routine.cancel')).toEqual([]);
  });

  it('and requests a run of another is told that it is none of its own', async () => {
    const { client, worker, lying, other } = await liar();
    lying.request('run');
    const { error } = await lying.hears('v1.routine.failed', 'run');
    expect(error).toMatchObject({ code: 'PROTOCOL_MALFORMED' });
    worker.complete(other);
    await client.hears('v1.routine.completed', 'run');
  });
});
