import { once } from 'node:events';
import { createServer as createRelay, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { EventFeed, RoutineEngineError, type EngineEvent } from '@routine-engine/core/adapter';
import { Service, systemClock } from '@routine-engine/core/host';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { wsListener, WsTransport } from '../src/index.js';
import { authority, ofNode, ofService } from './fixtures/certificates.js';
import { connected, heardUntilEnd, inbox, listening, rawSocket, transport } from './fixtures/ends.js';

const token = 'a-token-of-sufficient-length';
const refused = { code: 'TRANSPORT_REFUSED' };

describe('a listener that other machines reach', () => {
  it.each([
    ['without auth', { host: '0.0.0.0' }],
    ['without auth on all of IPv6', { host: '::' }],
    ['with TLS alone', { host: '0.0.0.0', tls: ofService }],
    ['in plain text', { host: '0.0.0.0', auth: { tokens: [{ token }] } }],
    [
      'with a certificate that is asked for, but not checked',
      { host: '0.0.0.0', tls: { ...ofService, requestCert: true, rejectUnauthorized: false } },
    ],
  ])('does not start %s', async (_how, options) => {
    await expect(wsListener(options)).rejects.toMatchObject({ code: 'LISTENER_EXPOSED' });
  });

  it.each([
    ['token and TLS', { tls: ofService, auth: { tokens: [{ token }] } }],
    ['mutual TLS', { tls: { ...ofService, ca: authority, requestCert: true } }],
    ['a token behind a proxy', { auth: { tokens: [{ token }] }, allowPlaintext: true }],
  ])('starts with %s', async (_how, options) => {
    expect((await listening({ host: '0.0.0.0', ...options })).address).toContain('//0.0.0.0:');
  });
});

describe('a token', () => {
  it('lets in who has it', async () => {
    const { there } = await connected(await listening({ auth: { tokens: [{ token }] } }), { token });
    expect(there.roles).toEqual(['worker', 'client']);
  });

  it.each([
    ['none', {}],
    ['a wrong one', { token: `${token}-not` }],
    ['the beginning of it', { token: token.slice(0, 20) }],
  ])('keeps out who has %s', async (_what, options) => {
    const { address } = await listening({ auth: { tokens: [{ token }] } });
    const dialled = transport(options).dial(address);
    await expect(dialled).rejects.toMatchObject(refused);
    await expect(dialled).rejects.not.toThrow(token.slice(0, 20));
  });

  it.each(['short', 'with a space in its middle', 'with\r\nheader: of its own'])(
    'that is %j is refused before it is sent, and not shown',
    (bad) => {
      const make = (): unknown => new WsTransport({ clock: systemClock, token: bad });
      expect(make).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
      expect(make).not.toThrow(bad);
    },
  );

  it('is not sent in plain text to another machine, unless that is allowed', async () => {
    await expect(transport({ token }).dial('ws://192.0.2.1:7700/')).rejects.toMatchObject({
      code: 'OPTION_INVALID',
    });
    const signal = AbortSignal.abort(new Error('on its way'));
    await expect(
      transport({ token, allowPlaintext: true }).dial('ws://192.0.2.1:7700/', { signal }),
    ).rejects.toThrow('on its way');
  });

  it('for clients registers no worker', async () => {
    const listener = await listening({ auth: { tokens: [{ token, roles: ['client'] }] } });
    const log = vi.fn<(level: string, message: string) => void>();
    const service = new Service({
      name: 'service',
      clock: systemClock,
      ids: { next: () => 'id' },
      logger: { log },
      feed: new EventFeed<EngineEvent>(),
    });
    service.serve(listener);
    onTestFinished(() => service.close());
    const greet = async (role: string): Promise<unknown> => {
      const connection = await transport({ token }).dial(listener.address);
      const answers = inbox(connection);
      connection.send({
        header: { type: 'hello', protocols: [1], role, name: 'node', codec: 'msgpackr', serializers: [] },
      });
      return (await answers.next()).header;
    };
    expect(await greet('client')).toMatchObject({ type: 'welcome' });
    expect(await greet('worker')).toMatchObject({ type: 'refused', error: refused });
  });
});

describe('authenticate', () => {
  it('decides by the request, and its roles hold', async () => {
    const listener = await listening({
      auth: {
        authenticate: ({ headers, url }) =>
          headers['x-team'] === 'blue' && url === '/?a' ? { roles: ['worker'] } : undefined,
      },
    });
    const accepted = firstValueFrom(listener.connections$);
    await transport({ headers: { 'X-Team': 'blue' } }).dial(`${listener.address}?a`);
    expect((await accepted).roles).toEqual(['worker']);
    await expect(transport({ headers: { 'X-Team': 'red' } }).dial(listener.address)).rejects.toMatchObject(
      refused,
    );
  });

  it('that throws lets nobody in', async () => {
    const listener = await listening({ auth: { authenticate: () => Promise.reject(new Error('down')) } });
    await expect(transport().dial(listener.address)).rejects.toMatchObject(refused);
  });

  it('that never answers lets nobody in', async () => {
    const listener = await listening({
      auth: { authenticate: () => new Promise(() => undefined) },
      limits: { handshakeMs: 50 },
    });
    await expect(transport().dial(listener.address)).rejects.toMatchObject(refused);
  });
});

describe('mutual TLS', () => {
  const tls = { ...ofService, ca: authority, requestCert: true };

  it('shows the certificate of who connects', async () => {
    const seen = vi.fn<(name: string | undefined) => void>();
    const listener = await listening({
      tls,
      auth: { authenticate: ({ certificate }) => (seen(certificate?.subject.CN as string), {}) },
    });
    await connected(listener, { tls: { ca: authority, ...ofNode } });
    expect(seen).toHaveBeenCalledWith('node');
  });

  it('keeps out who has none, and whom the node does not trust', async () => {
    const { address } = await listening({ tls });
    await expect(transport({ tls: { ca: authority } }).dial(address)).rejects.toBeInstanceOf(
      RoutineEngineError,
    );
    await expect(transport({ tls: ofNode }).dial(address)).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
    });
  });
});

describe('a web page', () => {
  it('may not connect, unless its origin is allowed', async () => {
    const { address } = await listening({ origins: ['https://console.example'] });
    const open = (origin: string): Promise<string> =>
      new Promise((resolve) => {
        const socket = new WebSocket(address, { origin });
        socket.once('open', () => (socket.terminate(), resolve('open')));
        socket.once('error', (error) => resolve(error.message));
      });
    expect(await open('https://console.example')).toBe('open');
    expect(await open('https://evil.example')).toContain('403');
  });
});

describe('a hostile peer', () => {
  const upgrade = (path = '/'): string =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`;

  it('with a request that never ends is cut off', async () => {
    const socket = await rawSocket(await listening({ limits: { handshakeMs: 100 } }));
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n');
    expect(await heardUntilEnd(socket)).toContain('408');
  });

  it('with endless headers is cut off', async () => {
    const socket = await rawSocket(await listening());
    socket.write(`GET / HTTP/1.1\r\nx: ${'y'.repeat(32 * 1024)}\r\n`);
    expect(await heardUntilEnd(socket)).toContain('431');
  });

  it('at another path, or with a page in mind, gets an answer', async () => {
    const listener = await listening();
    const socket = await rawSocket(listener);
    socket.write(upgrade('/other'));
    expect(await heardUntilEnd(socket)).toContain('404');
    expect((await fetch(listener.address.replace('ws:', 'http:'))).status).toBe(426);
  });

  it('answers other requests as it is told, beside the nodes of the same port', async () => {
    const listener = await listening({
      onRequest: (request, response) => void response.end(`asked for ${request.url}`),
    });
    const { here } = await connected(listener);
    const asked = await fetch(`${listener.address.replace('ws:', 'http:')}healthz`);
    expect(await asked.text()).toBe('asked for /healthz');
    expect(await firstValueFrom(here.state$)).toBe('open');
  });

  it.each([
    ['text', (socket: WebSocket) => socket.send('text'), 1003],
    ['a message that is too long', (socket: WebSocket) => socket.send(new Uint8Array(300 * 1024)), 1009],
    [
      'a message in too many pieces',
      (socket: WebSocket) => {
        for (let piece = 0; piece < 100; piece += 1) socket.send(new Uint8Array(1), { fin: false });
      },
      1008,
    ],
    [
      'bytes that are no frame of the protocol',
      (socket: WebSocket) => socket.send(new Uint8Array([255, 255, 255])),
      1000,
    ],
  ])('that sends %s is cut off, and others go on', async (_what, send, code) => {
    const listener = await listening();
    const { here, there } = await connected(listener);
    const hostile = new WebSocket(listener.address);
    const accepted = firstValueFrom(listener.connections$).then((connection) => inbox(connection));
    await once(hostile, 'open');
    const { completed } = await accepted;
    send(hostile);
    expect((await once(hostile, 'close'))[0]).toBe(code);
    await completed;
    const toThere = inbox(there);
    here.send({ header: { type: 'still here' } });
    expect((await toThere.next()).header).toEqual({ type: 'still here' });
  });

  it('with garbage after the handshake is cut off', async () => {
    const listener = await listening();
    const accepted = firstValueFrom(listener.connections$).then((connection) => inbox(connection));
    const socket = await rawSocket(listener);
    socket.write(upgrade());
    await once(socket, 'data');
    socket.write(Buffer.alloc(1_000, 0xff));
    await heardUntilEnd(socket);
    const { completed } = await accepted;
    await expect(completed).resolves.toBeUndefined();
  });

  it('that opens more connections than it may is refused, until one of them has gone', async () => {
    const listener = await listening({ limits: { connectionsPerAddress: 2 } });
    const first = await transport().dial(listener.address);
    await transport().dial(listener.address);
    await expect(transport().dial(listener.address)).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
      message: expect.stringContaining('503'),
    });
    inbox(first);
    await first.close();
    await vi.waitFor(() => transport().dial(listener.address));
  });

  it('that opens no more than handshakes holds up no more than those', async () => {
    const listener = await listening({
      limits: { handshakes: 1, handshakeMs: 200 },
      auth: { authenticate: () => new Promise(() => undefined) },
    });
    const first = transport().dial(listener.address);
    const both = await Promise.allSettled([first, transport().dial(listener.address)]);
    const messages = both.map((each) =>
      each.status === 'rejected' ? String((each.reason as Error).message) : '',
    );
    expect(messages.toSorted()).toEqual([expect.stringContaining('401'), expect.stringContaining('503')]);
  });
});

it('finds out that a peer is gone which said nothing', async () => {
  const listener = await listening({ pingMs: 50 });
  const target = new URL(listener.address);
  let frozen = false;
  const relay = createRelay((from) => {
    const to = connect(Number(target.port), target.hostname);
    for (const socket of [from, to]) socket.on('error', () => undefined);
    from.on('data', (chunk) => frozen || to.write(chunk));
    to.on('data', (chunk) => frozen || from.write(chunk));
    onTestFinished(() => (from.destroy(), void to.destroy()));
  });
  onTestFinished(() => void relay.close());
  relay.listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const accepted = firstValueFrom(listener.connections$);
  const here = await transport({ pingMs: 0 }).dial(
    `ws://127.0.0.1:${(relay.address() as AddressInfo).port}/`,
  );
  inbox(here);
  const { completed } = inbox(await accepted);
  frozen = true;
  await expect(completed).resolves.toBeUndefined();
});
