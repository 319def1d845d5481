import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { FaultProxy } from './network/fault-proxy.ts';

/** Two ends of a connection through a proxy. */
async function linked(): Promise<{ proxy: FaultProxy; node: Socket; service: Socket }> {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await FaultProxy.open((server.address() as AddressInfo).port);
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const node = dial(proxy);
  const [service] = await accepted;
  // What befalls them is looked at by their close.
  service.on('error', () => undefined);
  onTestFinished(async () => {
    node.destroy();
    await proxy[Symbol.asyncDispose]();
    server.close();
  });
  return { proxy, node, service };
}

function dial({ port }: FaultProxy): Socket {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

async function bytesOf(socket: Socket): Promise<Buffer> {
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  await closed(socket);
  return Buffer.concat(pieces);
}

/** With an error or without; half of it will do. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('close', () => resolve());
    socket.once('end', () => resolve());
  });
}

const bytes = Buffer.from(Uint8Array.from({ length: 300_000 }, (_, index) => index * 7));

describe('a network with faults', () => {
  it('passes on what is sent, in both directions, late and slowly as well', async () => {
    const { proxy, node, service } = await linked();
    const over = new AbortController();
    const weather = proxy.during({ delayMs: 5, bytesPerSecond: 20_000_000 }, 60_000, over.signal);
    node.end(bytes);
    service.end(bytes.subarray(1));
    const [there, back] = await Promise.all([bytesOf(service), bytesOf(node)]);
    expect([there.equals(bytes), back.equals(bytes.subarray(1))]).toEqual([true, true]);
    over.abort();
    await weather;
  });

  it('cuts a connection after the very byte', async () => {
    const { proxy, node, service } = await linked();
    proxy.cut(1_234);
    const there = bytesOf(service);
    node.resume().write(bytes);
    await closed(node);
    const arrived = await there;
    expect(arrived.byteLength).toBeLessThanOrEqual(1_234);
    expect(arrived.equals(bytes.subarray(0, arrived.byteLength))).toBe(true);
  });

  it('passes nothing of what it stalls, and ends it at last; new connections are as ever', async () => {
    const { proxy, node, service } = await linked();
    const over = new AbortController();
    const stall = proxy.stall(['to-service'], 60_000, over.signal);
    const there = bytesOf(service);
    node.write(bytes);
    // The other direction still passes.
    service.write('back');
    expect(String((await once(node, 'data'))[0])).toBe('back');
    over.abort();
    await stall;
    expect((await there).byteLength).toBe(0);
    const next = dial(proxy);
    await once(next, 'connect');
    next.destroy();
  });

  it('refuses whoever comes for a while', async () => {
    const { proxy, node } = await linked();
    const over = new AbortController();
    const refusal = proxy.refuse(60_000, over.signal);
    await closed(node);
    await closed(dial(proxy));
    over.abort();
    await refusal;
    const next = dial(proxy);
    await once(next, 'connect');
    expect(next.readyState).toBe('open');
    next.destroy();
  });
});
