import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { everythingRemote, executionPolicy, Lifecycle } from '@routine-engine/core';
import type { EnginePlugin } from '@routine-engine/core/adapter';
import { service, worker } from '@routine-engine/core/host';
import { fsStore } from '@routine-engine/store-fs';
import { wsListener, wsTransport } from '@routine-engine/transport-ws';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stamped } from './stores-apart-routines.ts';

async function open(name: string, plugins: readonly EnginePlugin[]): Promise<Lifecycle> {
  const lifecycle = await Lifecycle.init({ project: 'test', name, plugins });
  onTestFinished(() => lifecycle.shutdown());
  return lifecycle;
}

async function emptyDir(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'routine-engine-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return dir;
}

describe('a result that a worker had in a store of its own', () => {
  it('can be referred to in the store of whoever asked for its value', async () => {
    const listener = await wsListener();
    await open('service', [service({ listeners: [async () => listener] })]);
    const link = (): ReturnType<typeof wsTransport> => wsTransport({ url: listener.address });
    const modules = [new URL('./stores-apart-routines.ts', import.meta.url)];
    await open('worker', [link(), worker({ modules })]);
    const remote = executionPolicy(everythingRemote);
    const dirs = [await emptyDir(), await emptyDir()] as const;
    const [first, second] = [
      await open('first', [link(), remote, fsStore({ dir: dirs[0] })]),
      await open('second', [link(), remote, fsStore({ dir: dirs[1] })]),
    ];

    const value = await first.run(() => stamped(1));
    expect(await second.run(() => stamped(1))).toBe(value);
    await second.shutdown();
    const alone = await open('alone', [fsStore({ dir: dirs[1] })]);
    const reference = await alone.run(() => stamped.ref(1));
    expect(await alone.run(() => reference.value())).toBe(value);
  });
});
