import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { encodedOf, type Connection } from '@routine-engine/core/adapter';
import { firstValueFrom } from 'rxjs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { wsListener } from '../src/index.js';
import { authority, ofService } from './fixtures/certificates.js';
import { connected, inbox, listening, pattern, streamed, transport } from './fixtures/ends.js';

describe('a WebSocket transport', () => {
  it('carries directives both ways, in order', async () => {
    const { here, there } = await connected(await listening());
    const [toHere, toThere] = [inbox(here), inbox(there)];
    for (let number = 0; number < 1_000; number += 1) {
      here.send({ header: { type: 'up', number } });
      there.send({ header: { type: 'down', number } });
    }
    for (let number = 0; number < 1_000; number += 1) {
      expect((await toThere.next()).header).toEqual({ type: 'up', number });
      expect((await toHere.next()).header).toEqual({ type: 'down', number });
    }
  });

  it.each([0, 1, 125, 126, 65_535, 65_536, 262_144, 262_145, 5_000_000])(
    'carries a body of %i bytes as it was',
    async (byteLength) => {
      const { here, there } = await connected(await listening());
      const toThere = inbox(there);
      here.send({ header: { type: 'large' }, body: streamed(byteLength) });
      const { body } = await toThere.next();
      const { head } = await encodedOf(body!);
      expect(Buffer.compare(head, pattern(0, byteLength))).toBe(0);
    },
  );

  it('lets small directives overtake a large body', async () => {
    const { here, there } = await connected(await listening());
    const toThere = inbox(there);
    here.send({ header: { type: 'large' }, body: streamed(64 * 1024 * 1024, 1024 * 1024) });
    here.send({ header: { type: 'small' } });
    const large = await toThere.next();
    // Of the large one nothing was read yet.
    expect((await toThere.next()).header).toEqual({ type: 'small' });
    const chunks = large.body!.chunks()[Symbol.asyncIterator]();
    expect((await chunks.next()).value?.byteLength).toBeGreaterThan(0);
    await chunks.return?.();
  });

  it('stops a sender whose body nobody reads, and goes on when it is read', async () => {
    const { here, there } = await connected(await listening());
    const toThere = inbox(there);
    let asked = 0;
    const total = 256;
    const chunk = new Uint8Array(1024 * 1024);
    here.send({
      header: { type: 'large' },
      body: {
        byteLength: total * chunk.byteLength,
        sizes: [total * chunk.byteLength],
        async *chunks() {
          for (; asked < total; asked += 1) yield chunk;
        },
      },
    });
    const { body } = await toThere.next();
    // A directive of each side goes through meanwhile, so that whatever would have been sent has been.
    const toHere = inbox(here);
    here.send({ header: { type: 'ping' } });
    await toThere.next();
    there.send({ header: { type: 'pong' } });
    await toHere.next();
    expect(asked).toBeLessThan(32);
    let read = 0;
    for await (const each of body!.chunks()) read += each.byteLength;
    expect([asked, read]).toEqual([total, total * chunk.byteLength]);
  });

  it('tells both ends when one closes, after what was sent before', async () => {
    const { here, there } = await connected(await listening());
    const [toHere, toThere] = [inbox(here), inbox(there)];
    here.send({ header: { type: 'last' } });
    await here.close('done');
    expect((await toThere.next()).header).toEqual({ type: 'last' });
    await Promise.all([toHere.completed, toThere.completed]);
    expect(() => there.send({ header: { type: 'late' } })).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_CLOSED' }),
    );
  });

  it('closes its connections with the listener', async () => {
    const listener = await listening();
    const { here } = await connected(listener);
    const { completed } = inbox(here);
    const { address } = listener;
    await listener.close();
    await completed;
    await expect(transport().dial(address)).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    // For logs of what was.
    expect(listener.address).toBe(address);
  });
});

describe('an address', () => {
  const exchange = async ({ here, there }: { here: Connection; there: Connection }): Promise<void> => {
    const toThere = inbox(there);
    here.send({ header: { type: 'hello' } });
    expect((await toThere.next()).header).toEqual({ type: 'hello' });
  };

  it('may be of IPv6', async () => {
    const listener = await listening({ host: '::1' });
    expect(listener.address).toMatch(/^ws:\/\/\[::1\]:\d+\/$/);
    await exchange(await connected(listener));
  });

  it('may be a Unix socket', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ws-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const listener = await listening({ socketPath: join(directory, 'service.sock') });
    expect(listener.address).toBe(`ws+unix:${join(directory, 'service.sock')}`);
    await exchange(await connected(listener));
  });

  it('may have TLS', async () => {
    const listener = await listening({
      tls: ofService,
      auth: { tokens: [{ token: 'a-token-of-sufficient-length' }] },
    });
    expect(listener.address).toMatch(/^wss:/);
    await exchange(
      await connected(listener, { tls: { ca: authority }, token: 'a-token-of-sufficient-length' }),
    );
  });

  it('may be a path of a server that exists, beside another one', async () => {
    const server = createServer((_request, response) => response.end('a page'));
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const auth = { tokens: [{ token: 'a-token-of-sufficient-length' }] };
    const one = await listening({ server, path: '/one', auth });
    const two = await listening({ server, path: '/two', auth });
    const { port } = server.address() as AddressInfo;
    expect(one.address).toBe(`ws://127.0.0.1:${port}/one`);
    await exchange(await connected(one, auth.tokens[0]));
    await exchange(await connected(two, auth.tokens[0]));
    await one.close();
    await exchange(await connected(two, auth.tokens[0]));
    expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe('a page');
  });

  it('can be listened at by the transport itself', async () => {
    const own = transport();
    const first = await own.listen('ws://127.0.0.1:0/routines');
    onTestFinished(() => first.close());
    const accepted = firstValueFrom(first.connections$);
    await exchange({ here: await own.dial(first.address), there: await accepted });
    await expect(own.listen(first.address)).rejects.toMatchObject({ code: 'TRANSPORT_ADDRESS_IN_USE' });
  });

  it.each(['http://127.0.0.1/', 'nonsense', 'ws://user:secret@127.0.0.1/'])(
    'that is %s is refused',
    async (address) => {
      const dialled = transport().dial(address);
      await expect(dialled).rejects.toMatchObject({ code: 'OPTION_INVALID' });
      await expect(dialled).rejects.not.toThrow('secret');
      await expect(transport().listen(address)).rejects.toMatchObject({ code: 'OPTION_INVALID' });
    },
  );

  it('that nothing listens at is unreachable', async () => {
    await expect(transport().dial('ws://127.0.0.1:1/')).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
      message: expect.stringContaining('ws://127.0.0.1:1/'),
    });
  });

  it('of a server that speaks no WebSocket is unreachable, with its answer', async () => {
    const server = createServer((_request, response) => response.end('a page'));
    onTestFinished(() => void server.close());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    await expect(transport().dial(`ws://127.0.0.1:${port}/`)).rejects.toMatchObject({
      code: 'TRANSPORT_UNREACHABLE',
      message: expect.stringContaining('200'),
    });
  });

  it('is dialled no longer when the signal says so', async () => {
    const silent = createServer();
    silent.on('upgrade', () => undefined);
    onTestFinished(() => (silent.closeAllConnections(), void silent.close()));
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const { port } = silent.address() as AddressInfo;
    const controller = new AbortController();
    const dialled = transport().dial(`ws://127.0.0.1:${port}/`, { signal: controller.signal });
    await once(silent, 'upgrade');
    controller.abort(new Error('enough'));
    await expect(dialled).rejects.toThrow('enough');
  });
});

it('leaves nothing of a listener that could not start', async () => {
  const { address } = await listening();
  const port = Number(new URL(address).port);
  await expect(wsListener({ port })).rejects.toMatchObject({ code: 'TRANSPORT_ADDRESS_IN_USE' });
  await expect(
    wsListener({ host: '192.0.2.1', allowPlaintext: true, auth: { authenticate: () => ({}) } }),
  ).rejects.toMatchObject({
    code: 'TRANSPORT_UNREACHABLE',
  });
});
