import { mkdtempSync, rmSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  currentRun,
  define,
  everythingRemote,
  executionPolicy,
  type EngineEvent,
} from '@routine-engine/core';
import { expectStatuses, pause, testCluster } from '@routine-engine/transport-inproc/testing';
import { describe, expect, it } from 'vitest';

interface Gate {
  readonly promise: Promise<string>;
  readonly resolve: (value: string) => void;
  readonly reject: (reason: Error) => void;
}

const bodies: string[] = [];
const square = define.task({ name: 'square', version: '1.0.0' }, async (n: number) => {
  bodies.push(`square ${n}`);
  await pause(1_000);
  return n * n;
});
const sumOfSquares = define.workflow({ name: 'sum-of-squares' }, async (...numbers: number[]) => {
  const squares = await Promise.all(numbers.map((n) => square(n)));
  return squares.reduce((sum, n) => sum + n, 0);
});
const waiting = new Map<string, Gate>();
const gated = define.task({ name: 'gated', version: '1.0.0' }, async (gate: string) => {
  bodies.push(`gated ${gate} ${currentRun().attempt}`);
  return waiting.get(gate)?.promise;
});
const chain = define.workflow({ name: 'chain' }, async () => (await square(20)) + (await square(30)));
const countsInFile = define.workflow({ name: 'counts-in-file' }, async (path: string) => {
  await writeFile(path, '0');
  for (let count = 0; count < 100; count += 1)
    await writeFile(path, String(Number(await readFile(path, 'utf8')) + 1));
  return Number(await readFile(path, 'utf8'));
});
const callsGate = define.workflow({ name: 'calls-gate' }, (gate: string) => gated(gate));

function gate(name: string): Gate {
  let resolve: Gate['resolve'] = () => undefined;
  let reject: Gate['reject'] = () => undefined;
  const promise = new Promise<string>((...settle) => ([resolve, reject] = settle));
  const made = { promise, resolve, reject };
  waiting.set(name, made);
  return made;
}

describe('a test cluster', () => {
  it('answers calls by its workers, in virtual time', async () => {
    await using cluster = await testCluster({ workers: 2 });
    expect(await cluster.run(() => sumOfSquares(1, 2))).toBe(5);
    const ran = cluster.timeline().runsOf('square');
    expect(ran.flatMap(({ workers }) => workers).toSorted()).toEqual(['worker-1', 'worker-2']);
    expect(cluster.clock.monotonic()).toBeLessThan(2_000);
  });

  it('does the same again with the same seed', async () => {
    const tell = async (seed: number): Promise<readonly EngineEvent[]> => {
      await using cluster = await testCluster({ workers: 2, seed, store: 'own' });
      const call = cluster.run(() => sumOfSquares(3, 4));
      await cluster.until('run.starting', ({ worker }) => worker === 'worker-2');
      cluster.crash('service');
      await cluster.advance(500);
      await cluster.restart('service');
      expect(await call).toBe(25);
      return cluster.events;
    };
    const first = await tell(7);
    expect(await tell(7)).toEqual(first);
    expect(await tell(8)).not.toEqual(first);
  });

  it('gives each node its plugins', async () => {
    await using cluster = await testCluster({
      workers: 1,
      plugins: ({ role }) => (role === 'client' ? [executionPolicy(everythingRemote)] : []),
    });
    await cluster.run(() => sumOfSquares(5));
    expect(cluster.timeline().run('sum-of-squares').workers).toEqual(['worker-1']);
  });

  it('lets as many runs compute at once as there are slots', async () => {
    await using cluster = await testCluster({ workers: 1, slots: 3, store: 'own' });
    await cluster.run(() => sumOfSquares(6, 7, 8));
    expect(cluster.clock.monotonic()).toBeLessThan(2_000);
  });

  it('remembers results in a store that outlives its nodes, unless each has its own', async () => {
    for (const [store, executions] of [
      ['shared', 1],
      ['own', 2],
    ] as const) {
      bodies.length = 0;
      const plugins = [executionPolicy(everythingRemote)];
      await using cluster = await testCluster({ workers: 1, store, plugins });
      await cluster.run(() => sumOfSquares(9));
      await cluster.restart('worker-1');
      await cluster.run(() => sumOfSquares(9));
      expect(bodies).toHaveLength(executions);
    }
  });

  it('refuses a number of workers that is none, and nodes that there are not', async () => {
    await expect(testCluster({ workers: 0 })).rejects.toThrow('workers is 0; it must be 1 to 1024');
    await using cluster = await testCluster({ workers: 1 });
    expect(() => cluster.crash('worker-2')).toThrow('There is no node worker-2; there are service, worker-1');
    expect(() => cluster.crash('client')).toThrow('can not crash');
    expect(() => cluster.partition('service')).toThrow('Name the worker or client');
    await expect(cluster.stop('service')).rejects.toThrow('service is no worker that is up');
  });

  it('passes on what the start of a node throws, and leaves nothing open', async () => {
    const plugins = [{ name: 'broken', api: '^0.1.0', parts: 'none' }] as never;
    await expect(testCluster({ workers: 1, plugins })).rejects.toMatchObject({ code: 'PLUGIN_INVALID' });
    expect(
      await square
        .with({ cache: false })(1)
        .catch((error: Error) => error.message),
    ).toContain('pause()');
  });
});

describe('waiting', () => {
  it('is for an event, of which none is missed between two waits', async () => {
    await using cluster = await testCluster({ workers: 1 });
    const call = cluster.run(() => chain());
    const first = await cluster.until('run.starting', ({ routineId }) => routineId.includes('square'));
    const second = await cluster.until((event) => event.type === 'run.starting');
    expect(second).toMatchObject({ routineId: 'tname:test:square:1.0.0' });
    expect(second).not.toBe(first);
    expect(await call).toBe(1_300);
  });

  it('fails after a time that is virtual, and tells the last events', async () => {
    await using cluster = await testCluster({ workers: 1, seed: 3 });
    await cluster.run(() => sumOfSquares(10));
    await expect(cluster.until('run.failed', undefined, { withinMs: 5_000 })).rejects.toThrow(
      /^No run\.failed came that fits within 5000 ms of virtual time \(seed 3\)\.\nThe last \d+ of \d+ events:\n/,
    );
    const never = cluster.run(() => callsGate('never'), { withinMs: 90_000 });
    gate('never');
    await expect(never).rejects.toThrow(
      /did not settle[^]*client run\.starting tname:test:gated:1\.0\.0 \w{8} worker-1$/,
    );
  });

  it('is for calls that fail as well, also when they are looked at later', async () => {
    await using cluster = await testCluster({ workers: 1 });
    const { promise, reject } = gate('fails');
    const call = cluster.run(() => callsGate('fails'));
    await cluster.until('run.starting', ({ worker }) => worker === 'worker-1');
    reject(new RangeError('too far'));
    await cluster.until('run.failed');
    await cluster.advance(60_000);
    await expect(call).rejects.toThrow(RangeError);
    await expect(promise).rejects.toThrow('too far');
  });

  it('stands still while files are read and written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'test-cluster-'));
    try {
      await using cluster = await testCluster({ workers: 1 });
      expect(await cluster.run(() => countsInFile(join(folder, 'count')))).toBe(100);
      expect(cluster.clock.monotonic()).toBeLessThan(100);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('what goes wrong on purpose', () => {
  it('a worker that crashes: its run is placed elsewhere', async () => {
    bodies.length = 0;
    await using cluster = await testCluster({ workers: 2 });
    const { resolve } = gate('crash');
    const call = cluster.run(() => callsGate('crash'));
    const { worker } = await cluster.until('run.starting', ({ routineId }) => routineId.includes('gated'));
    cluster.crash(worker);
    await cluster.until('run.starting', (event) => event.worker !== worker);
    resolve('open');
    expect(await call).toBe('open');
    expect(bodies).toEqual(['gated crash 1', 'gated crash 2']);
    expectStatuses(cluster.timeline().run('gated'), ['PENDING', 'RUNNING', 'PENDING', 'RUNNING', 'DONE']);
    expectStatuses(cluster.timeline().worker(worker), ['...', 'WORKING', '...', 'CLOSED']);
  });

  it('a worker whose machine is gone: it is noticed by its pulse', async () => {
    await using cluster = await testCluster({ workers: 1 });
    const before = cluster.clock.monotonic();
    cluster.crash('worker-1', { silent: true });
    await cluster.until('worker.status', ({ status }) => status === 'UNRESPONSIVE');
    await cluster.until('worker.status', ({ status }) => status === 'CLOSED');
    expect(cluster.clock.monotonic() - before).toBeGreaterThan(5_000);
    await cluster.restart('worker-1');
    expect(await cluster.run(() => sumOfSquares(13))).toBe(169);
  });

  it('a worker that hangs: what it has done is heard of when it goes on', async () => {
    await using cluster = await testCluster({ workers: 1, heartbeat: { leaseMs: 100_000 } });
    const { resolve } = gate('hang');
    const call = cluster.run(() => callsGate('hang'));
    await cluster.until('run.starting', ({ routineId }) => routineId.includes('gated'));
    cluster.hang('worker-1');
    resolve('late');
    await cluster.until('worker.status', ({ status }) => status === 'UNRESPONSIVE');
    await cluster.advance(20_000);
    expect(cluster.timeline().run('gated').statuses.at(-1)).toBe('RUNNING');
    cluster.resume('worker-1');
    expect(await call).toBe('late');
  });

  it('a service that crashes: runs go on when it is there again', async () => {
    bodies.length = 0;
    await using cluster = await testCluster({ workers: 2 });
    const call = cluster.run(() => chain());
    await cluster.until('run.starting', ({ worker }) => worker !== 'client');
    cluster.crash('service');
    await cluster.advance(3_000);
    await cluster.restart('service');
    expect(await call).toBe(1_300);
    expect(bodies).toEqual(['square 20', 'square 30']);
  });

  it('a partition: a run of the worker behind it is placed elsewhere, and is not answered twice', async () => {
    await using cluster = await testCluster({ workers: 2 });
    const call = cluster.run(() => chain());
    const { worker } = await cluster.until('run.starting', (event) => event.worker !== 'client');
    cluster.partition(worker);
    await cluster.until('run.starting', (event) => event.worker !== worker);
    cluster.heal();
    expect(await call).toBe(1_300);
    const ends = cluster.events.filter(({ type }) => type === 'run.completed' || type === 'run.cached');
    expect(ends).toHaveLength(3);
  });

  it('a connection that ends: both sides come back', async () => {
    await using cluster = await testCluster({ workers: 1 });
    const call = cluster.run(() => chain());
    await cluster.until('run.starting', ({ worker }) => worker !== 'client');
    cluster.disconnect('worker-1');
    cluster.disconnect('client');
    expect(await cluster.until('transport.resynced', ({ node }) => node === 'client')).toMatchObject({
      resumed: true,
    });
    expect(await call).toBe(1_300);
  });

  it('a slow link', async () => {
    await using cluster = await testCluster({ workers: 1 });
    cluster.delay('worker-1', 700);
    const before = cluster.clock.monotonic();
    await cluster.run(() => sumOfSquares(14));
    expect(cluster.clock.monotonic() - before).toBeGreaterThan(2_400);
  });

  it('a directive that is lost: the connection is given up, and the run goes on', async () => {
    await using cluster = await testCluster({ workers: 1 });
    cluster.drop({ from: 'worker-1', type: 'v1.routine.completed' });
    expect(await cluster.run(() => sumOfSquares(15))).toBe(225);
    expect(cluster.network.faults.lost).toBe(1);
    expect(cluster.events.some(({ type, node }) => type === 'transport.lost' && node === 'worker-1')).toBe(
      true,
    );
  });

  it('a directive that comes twice: it is handled once', async () => {
    bodies.length = 0;
    await using cluster = await testCluster({ workers: 2 });
    cluster.duplicate({ to: 'service', type: 'v1.routine.request_start', count: 2 });
    cluster.duplicate({ from: 'service', type: 'v1.routine.request_start', count: 2 });
    expect(await cluster.run(() => sumOfSquares(16, 17))).toBe(545);
    expect(cluster.network.faults.duplicated).toBe(4);
    expect(bodies).toHaveLength(2);
  });

  it('a worker that is told to stop: it finishes what it has', async () => {
    await using cluster = await testCluster({ workers: 2 });
    const call = cluster.run(() => chain());
    const { worker } = await cluster.until('run.starting', (event) => event.worker !== 'client');
    await cluster.stop(worker);
    expect(await call).toBe(1_300);
    expectStatuses(cluster.timeline().worker(worker), ['...', 'WORKING', '...', 'TERMINATING', 'CLOSED']);
  });
});
