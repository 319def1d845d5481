import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  bodyOf,
  encodedOf,
  type Connection,
  type Envelope,
  type Listener,
} from '@routine-engine/core/adapter';
import { systemClock } from '@routine-engine/core/host';
import { UnixSocketTransport } from '../src/index.js';

const folder = await mkdtemp(join(tmpdir(), 'unix-socket-'));
after(() => rm(folder, { recursive: true }));

const transport = new UnixSocketTransport({ clock: systemClock });
let sockets = 0;
const newAddress = (): string => `unix:${join(folder, `${(sockets += 1)}.sock`)}`;

function firstOf(listener: Listener): Promise<Connection> {
  return new Promise((resolve) => listener.connections$.subscribe(resolve));
}

function nextOf(connection: Connection): Promise<Envelope> {
  return new Promise((resolve) => connection.inbound$.subscribe(resolve));
}

function closedOf(connection: Connection): Promise<void> {
  return new Promise((resolve) => connection.state$.subscribe({ complete: resolve }));
}

describe('the transport', { timeout: 30_000 }, () => {
  it('carries directives and large bodies both ways', async () => {
    const listener = await transport.listen(newAddress());
    const [here, there] = await Promise.all([transport.dial(listener.address), firstOf(listener)]);
    for (const [from, to] of [
      [here, there],
      [there, here],
    ] as const) {
      const bytes = Uint8Array.from({ length: 3_000_000 }, (_, index) => (index * 7) % 251);
      const heard = nextOf(to);
      from.send({ header: { type: 'large' }, body: bodyOf({ head: new Uint8Array(1), buffers: [bytes] }) });
      const { header, body } = await heard;
      assert.equal(header['type'], 'large');
      assert.deepEqual((await encodedOf(body ?? assert.fail('no body'))).buffers, [bytes]);
    }
    await Promise.all([here.close(), closedOf(there)]);
    await listener.close();
  });

  it('refuses an address in use, and whoever listens there hears of nothing', async () => {
    const listener = await transport.listen(newAddress());
    const first = firstOf(listener);
    await assert.rejects(transport.listen(listener.address), { code: 'TRANSPORT_ADDRESS_IN_USE' });
    const here = await transport.dial(listener.address);
    here.send({ header: { type: 'greeting' } });
    assert.equal((await nextOf(await first)).header['type'], 'greeting');
    await listener.close();
    await closedOf(here);
  });

  it('takes the place of a process that was killed', async () => {
    const address = newAddress();
    const path = address.slice('unix:'.length);
    const program = `require('node:net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', program, path]);
    assert.ok(existsSync(path));
    await assert.rejects(transport.dial(address), { code: 'TRANSPORT_UNREACHABLE' });
    const listener = await transport.listen(address);
    const here = await transport.dial(address);
    await listener.close();
    await closedOf(here);
  });

  it('refuses what is no address', async () => {
    for (const address of ['unix:relative.sock', 'ws://127.0.0.1/', 'unix:'])
      await assert.rejects(transport.dial(address), { code: 'OPTION_INVALID' });
  });
});
