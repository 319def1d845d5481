import { describe, it } from 'node:test';
import type { Listener } from '@routine-engine/core/adapter';
import { rawTcpPeer, registerCompliance, tcpLink, transportKit } from '@routine-engine/core/compliance';
import { systemClock } from '@routine-engine/core/host';
import { TcpTransport } from '../src/index.js';

function target({ address }: Listener): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

registerCompliance(
  transportKit,
  { describe, it: (name, run, timeout) => void it(name, { timeout }, run) },
  {
    implementation: { name: '{{name}}' },
    capabilities: { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: false },
    create: () => ({
      listening: new TcpTransport({ clock: systemClock }),
      address: () => 'tcp://127.0.0.1:0',
    }),
    // So that the kit can cut connections, and speak to the listener as a stranger.
    link: (listener) => tcpLink({ target: target(listener), addressOf: (port) => `tcp://127.0.0.1:${port}` }),
    raw: (listener) => rawTcpPeer(target(listener)),
    opening: () => Buffer.from('ren1'),
  },
);
