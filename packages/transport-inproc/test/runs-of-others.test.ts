import { everythingRemote, executionPolicy, type Lifecycle } from '@routine-engine/core';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { open, type Opened } from './fixtures/engines.ts';
import { add, spin, waitForCancel, waitsForChild } from './fixtures/routines.ts';
import { sharedCluster } from './fixtures/shared-cluster.ts';

const modules = [new URL('./fixtures/routines.ts', import.meta.url)];

const IN_HAND = { status: ['PENDING', 'RUNNING', 'HANGING'] } as const;

describe('the runs of other nodes', () => {
  let first: Opened;
  let second: Opened;
  let others: Lifecycle['runs'];
  beforeAll(async () => {
    const cluster = sharedCluster({ modules, labels: () => ({ zone: 'a' }) });
    first = await open(cluster.own, executionPolicy(everythingRemote));
    second = await open(cluster.others);
    others = second.lifecycle.runs;
  });
  afterAll(async () => {
    await second.lifecycle.shutdown();
    await first.lifecycle.shutdown();
  });

  /** Calls as the first client, and gives the run id once the run, or one that it called, computes. */
  async function started(
    name: string,
    call: () => Promise<unknown>,
  ): Promise<{ runId: string; ended: Promise<unknown> }> {
    const ended = first.lifecycle.run(call).catch((error: unknown) => error);
    const { runId } = await first.event(
      'run.starting',
      (event) => event.parentRunId === undefined && event.routineId.includes(name) && !seen.has(event.runId),
    );
    seen.add(runId);
    return { runId, ended };
  }
  const seen = new Set<string>();

  it('are listed, and cancelled by their ids with everything they called', async () => {
    const { runId, ended } = await started('waits-for-child', () => waitsForChild());
    await first.event('run.starting', ({ parentRunId }) => parentRunId === runId);
    const listed = await others.list();
    expect(listed).toMatchObject([
      {
        runId,
        routineId: 'wfname:test:waits-for-child',
        status: 'HANGING',
        worker: 'worker-1',
        requester: 'client',
      },
      { parentRunId: runId, rootRunId: runId, status: 'RUNNING', worker: 'worker-1', requester: 'worker-1' },
    ]);
    expect(await others.list({ parentRunId: runId, routine: 'tname:wait-for-cancel' })).toHaveLength(1);
    expect(await others.list({ status: 'PENDING' })).toEqual([]);
    expect(await others.cancel(runId, 'enough')).toBe(true);
    expect(await ended).toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough' });
    await expect.poll(() => others.list(IN_HAND)).toEqual([]);
    expect(await others.cancel(runId)).toBe(false);
    expect(await others.get(runId)).toBeUndefined();
  });

  it('are ended with their thread when they do not yield, and the worker lives on', async () => {
    const { runId, ended } = await started('spin', () => spin(1e9));
    expect(await others.cancel(runId)).toBe(true);
    expect(await ended).toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await second.lifecycle.call('tname:add:1.0.0', [1, 2])).toBe(3);
    expect(await first.lifecycle.run(() => add(3, 4))).toBe(7);
  });

  it('are found, and their values are those of their callers', async () => {
    const { runId, ended } = await started('wait-for-cancel', () => waitForCancel());
    const found = await others.get(runId);
    expect(found).toMatchObject({ runId, routineId: 'tname:test:wait-for-cancel:1.0.0', status: 'RUNNING' });
    await expect(found?.result()).rejects.toMatchObject({ code: 'RUN_NOT_SUBMITTED' });
    found?.cancel('enough');
    expect(await ended).toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough' });
  });

  it('are seen and cancelled also when their node runs them by itself', async () => {
    const handle = second.lifecycle.run(() => waitsForChild.submit());
    await expect.poll(() => first.lifecycle.runs.list({ rootRunId: handle.runId })).toHaveLength(2);
    const [root, child] = await first.lifecycle.runs.list({ rootRunId: handle.runId });
    expect(root).toMatchObject({ runId: handle.runId, status: 'RUNNING' });
    expect(child).toMatchObject({ parentRunId: handle.runId, worker: 'worker-1' });
    expect(await first.lifecycle.runs.cancel(handle.runId, 'enough')).toBe(true);
    await expect(handle.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough' });
    await expect.poll(() => first.lifecycle.runs.list(IN_HAND)).toEqual([]);
  });

  it('come with the workers and the routines of the service', async () => {
    await expect.poll(() => others.list(IN_HAND)).toEqual([]);
    const [worker, ...more] = await others.workers();
    expect(more).toEqual([]);
    expect(worker).toMatchObject({
      ...{ name: 'worker-1', status: 'IDLE', slots: 1, inbox: 128, running: 0, hanging: 0 },
      ...{ acceptsWork: true, labels: { zone: 'a' } },
      routines: expect.arrayContaining(['tname:test:add:1.0.0']),
    });
    const routines = await others.routines();
    expect(routines.find(({ routineId }) => routineId === 'tname:test:add:1.0.0')).toMatchObject({
      recordId: expect.stringMatching(/^tdb:[0-9a-f]{32}$/),
      workers: 1,
    });
  });

  it('can not be asked for once the connection is closed', async () => {
    const closed = await open(embeddedCluster({ workers: 1, modules }));
    await closed.lifecycle.shutdown();
    await expect(closed.lifecycle.runs.list()).rejects.toMatchObject({ code: 'TRANSPORT_CLOSED' });
  });
});
