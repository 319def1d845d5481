import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Listener } from '@routine-engine/core/adapter';
import { rawTcpPeer, registerCompliance, tcpLink, transportKit } from '@routine-engine/core/compliance';
import { systemClock } from '@routine-engine/core/host';
import { UnixSocketTransport } from '../src/index.js';

let links = 0;
const pathOf = ({ address }: Listener): string => address.slice('unix:'.length);

registerCompliance(
  transportKit,
  { describe, it: (name, run, timeout) => void it(name, { timeout }, run) },
  {
    implementation: { name: 'transport-unix-socket' },
    capabilities: { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory: false },
    create: async () => {
      const folder = await mkdtemp(join(tmpdir(), 'unix-socket-'));
      let sockets = 0;
      return {
        listening: new UnixSocketTransport({ clock: systemClock }),
        address: () => `unix:${join(folder, `${(sockets += 1)}.sock`)}`,
        destroy: () => rm(folder, { recursive: true }),
      };
    },
    link: (listener) => {
      const path = `${pathOf(listener)}.${(links += 1)}.link`;
      return tcpLink({ target: { path: pathOf(listener) }, path, addressOf: () => `unix:${path}` });
    },
    raw: (listener) => rawTcpPeer({ path: pathOf(listener) }),
    opening: () => Buffer.from('ren1'),
  },
);
