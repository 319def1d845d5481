import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { everythingRemote, executionPolicy } from '@routine-engine/core';
import { CLOCK } from '@routine-engine/core/adapter';
import { ThreadExecutor } from '@routine-engine/core/host';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { defaultParts } from './fixtures/default-parts.ts';
import { cluster } from './fixtures/engines.ts';
import { workerOf } from './fixtures/nodes.ts';
import { add, exitProcess, naps } from './fixtures/routines.ts';

const routines = new URL('./fixtures/routines.ts', import.meta.url);
const remote = executionPolicy(everythingRemote);
const threads = (): string[] =>
  process.getActiveResourcesInfo().filter((resource) => resource === 'MessagePort');

describe('a worker', () => {
  it('that cannot reach the service leaves no thread', async () => {
    const { parts, close } = await defaultParts();
    const worker = workerOf(parts, {
      identity: { name: 'lonely', project: 'test' },
      transport: new InprocTransport(),
      address: 'inproc:nowhere',
      executor: new ThreadExecutor({ threads: { modules: [routines] }, clock: parts.get(CLOCK) }),
    });
    await expect(worker.start()).rejects.toMatchObject({ code: 'TRANSPORT_UNREACHABLE' });
    expect(threads()).toEqual([]);
    await close();
  });
});

describe('a worker whose thread cannot be started again', () => {
  const flag = join(tmpdir(), `routine-engine-broken-${process.pid}`);
  beforeEach(() => {
    process.env['BREAK_MODULE_WHEN'] = flag;
  });
  afterEach(() => {
    rmSync(flag, { force: true });
    delete process.env['BREAK_MODULE_WHEN'];
  });

  it('takes no more runs, and the others do', async () => {
    await using opened = await cluster(2, {
      modules: [routines, new URL('./fixtures/breakable.ts', import.meta.url)],
    })(remote);
    writeFileSync(flag, '');
    await expect(exitProcess()).rejects.toMatchObject({ code: 'THREAD_EXITED' });
    await opened.event('worker.status', (event) => event.status === 'TERMINATING');
    expect(await Promise.all(Array.from({ length: 6 }, () => naps(5)))).toEqual([5, 5, 5, 5, 5, 5]);
    expect(await add(1, 2)).toBe(3);
  });
});
