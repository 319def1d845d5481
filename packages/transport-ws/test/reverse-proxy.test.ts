import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { Listener } from '@routine-engine/core/adapter';
import { firstValueFrom } from 'rxjs';
import { inbox, listening, streamed, transport } from './fixtures/ends.js';

/** An HTTP proxy that passes upgrades of `/routines` on to a listener, as nginx does. @returns its address. */
async function proxyOf(listener: Listener): Promise<string> {
  const { hostname, port } = new URL(listener.address);
  const open = new Set<Socket>();
  const server = createServer((_request, response) => void response.writeHead(404).end());
  server.on('upgrade', (incoming, client: Socket, head: Buffer) => {
    open.add(client);
    client.on('error', () => undefined);
    const headers = { ...incoming.headers, 'x-forwarded-for': client.remoteAddress };
    const outgoing = request({ hostname, port, path: '/', headers, method: 'GET' });
    outgoing.on('upgrade', (response, upstream: Socket, upstreamHead: Buffer) => {
      open.add(upstream);
      const lines = response.rawHeaders.map((each, at) => (at % 2 === 0 ? `${each}: ` : `${each}\r\n`));
      client.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      client.write(upstreamHead);
      upstream.write(head);
      upstream.on('error', () => client.destroy());
      client.pipe(upstream).pipe(client);
    });
    outgoing.on('response', (response) => client.end(`HTTP/1.1 ${response.statusCode} refused\r\n\r\n`));
    outgoing.on('error', () => client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    outgoing.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/routines`;
}

it('works behind a reverse proxy, with directives and a body of several windows in either direction', async () => {
  const listener = await listening();
  const address = await proxyOf(listener);
  const accepted = firstValueFrom(listener.connections$);
  const here = await transport().dial(address);
  const there = await accepted;
  const [toHere, toThere] = [inbox(here), inbox(there)];
  const byteLength = 6 * 1024 * 1024;
  here.send({ header: { type: 'up' }, body: streamed(byteLength) });
  there.send({ header: { type: 'down' }, body: streamed(byteLength) });
  for (const came of [await toThere.next(), await toHere.next()]) {
    let read = 0;
    for await (const chunk of came.body!.chunks()) read += chunk.byteLength;
    expect(read).toBe(byteLength);
  }
  await here.close();
  await toThere.completed;
});

it('hears through a reverse proxy that it is refused, and that no service is there', async () => {
  const listener = await listening({ auth: { tokens: [{ token: 'a-token-of-the-service' }] } });
  const address = await proxyOf(listener);
  await expect(transport().dial(address)).rejects.toMatchObject({ code: 'TRANSPORT_REFUSED' });
  await listener.close();
  await expect(transport().dial(address)).rejects.toMatchObject({
    ...{ code: 'TRANSPORT_UNREACHABLE', message: expect.stringContaining('502') },
  });
});
