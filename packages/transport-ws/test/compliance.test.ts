import { rawTcpPeer, registerCompliance, tcpLink, transportKit } from '@routine-engine/core/compliance';
import type { Listener } from '@routine-engine/core/adapter';
import { systemClock } from '@routine-engine/core/host';
import { describe, it } from 'vitest';
import { WsTransport } from '../src/index.js';

function target({ address }: Listener): { readonly host: string; readonly port: number } {
  const { hostname, port } = new URL(address);
  return { host: hostname, port: Number(port) };
}

registerCompliance(
  transportKit,
  { describe, it },
  {
    implementation: { name: 'transport-ws' },
    capabilities: { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: false },
    create: () => ({
      listening: new WsTransport({ clock: systemClock }),
      address: () => 'ws://127.0.0.1:0/routines',
    }),
    link: (listener) =>
      tcpLink({ target: target(listener), addressOf: (port) => `ws://127.0.0.1:${port}/routines` }),
    raw: (listener) => rawTcpPeer(target(listener)),
    opening: () =>
      Buffer.from(
        'GET /routines HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
          'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
      ),
  },
);
