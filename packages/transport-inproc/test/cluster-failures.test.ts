import { Lifecycle, define, everythingRemote, executionPolicy } from '@routine-engine/core';
import { embeddedCluster } from '@routine-engine/transport-inproc';
import { describe, expect, it } from 'vitest';
import { cluster } from './fixtures/engines.ts';
import {
  add,
  callsLate,
  echo,
  exhaustMemory,
  exitLater,
  exitProcess,
  logsThenComputes,
  maybeExit,
  naps,
  spin,
  tellsNonsense,
  throwsUncaught,
  total,
  unremembered,
  waitForCancel,
  waitsAfterwards,
  waitsForChild,
  waitsForNobody,
} from './fixtures/routines.ts';

/** Everything goes to the worker, so that a single call meets its thread. */
const remote = executionPolicy(everythingRemote);
const missing = define.task({ name: 'not-in-the-module', version: '1.0.0' }, () => 1);
const newer = define.task({ name: 'add', version: '2.0.0' }, (a: number, b: number) => a + b);

describe('a cluster', () => {
  it('does not start when a module fails to load, and says which and why', async () => {
    const broken = new URL('./fixtures/broken.ts', import.meta.url);
    const init = Lifecycle.init({
      project: 'test',
      plugins: [embeddedCluster({ workers: 2, modules: [broken] })],
    });
    await expect(init).rejects.toMatchObject({
      code: 'ROUTINE_MODULE_FAILED',
      message: expect.stringMatching(/broken\.ts.*this module is broken/s),
    });
  });

  it('does not start when a module is not there, and says which', async () => {
    const init = Lifecycle.init({
      project: 'test',
      plugins: [embeddedCluster({ workers: 1, modules: [new URL('./nowhere.ts', import.meta.url)] })],
    });
    await expect(init).rejects.toMatchObject({
      code: 'ROUTINE_MODULE_FAILED',
      message: expect.stringContaining('nowhere.ts'),
    });
  });

  it('takes no number of workers but 1 to 1,024', () => {
    expect(() => embeddedCluster({ workers: 0, modules: [] })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
    expect(() => embeddedCluster({ workers: 1.5, modules: [] })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });

  it('shows a run that no worker can take, and fails it after queueTimeoutMs', async () => {
    await using opened = await cluster(1)(remote);
    const call = missing.with({ queueTimeoutMs: 50 })();
    await expect(call).rejects.toMatchObject({
      code: 'QUEUE_TIMEOUT',
      message: expect.stringContaining('no worker offers a task tname:test:not-in-the-module'),
    });
    const waiting = await opened.event('run.waiting');
    expect(waiting).toMatchObject({
      reason: 'no-capable-worker',
      routineId: 'tname:test:not-in-the-module:1.0.0',
    });
  });

  it('says which versions there are when the one asked for is not', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const call = newer.with({ signal: controller.signal })(1, 2);
    const waiting = await opened.event('run.waiting');
    expect(waiting.detail).toContain('tname:test:add:1.0.0');
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  });

  it('refuses an id that was never defined or registered', async () => {
    await using opened = await cluster(1)();
    await expect(opened.lifecycle.call('tdb:00000000')).rejects.toMatchObject({ code: 'ROUTINE_UNKNOWN' });
    await expect(opened.lifecycle.call('not an id')).rejects.toMatchObject({ code: 'ROUTINE_ID_INVALID' });
  });

  it('fails the run whose thread runs out of memory, and the worker lives on', async () => {
    await using opened = await cluster(1, { resourceLimits: { maxOldGenerationSizeMb: 64 } })(remote);
    await expect(exhaustMemory()).rejects.toMatchObject({
      code: 'THREAD_OUT_OF_MEMORY',
      message: expect.stringContaining('exhaust-memory'),
    });
    expect(await add(20, 22)).toBe(42);
    expect(
      opened.events.filter((event) => event.type === 'worker.status' && event.status === 'CLOSED'),
    ).toEqual([]);
  });

  it('fails the run that ends its thread, and the worker lives on', async () => {
    await using _ = await cluster(1)(remote);
    await expect(exitProcess()).rejects.toMatchObject({ code: 'THREAD_EXITED' });
    expect(await add(20, 23)).toBe(43);
  });

  it('runs again what a dying thread held beside the run that killed it', async () => {
    await using opened = await cluster(1)(remote);
    // The workflow hangs on the same thread while its sub-run ends it.
    const [exited, sum] = await Promise.allSettled([exitProcess(), total([1, 2, 3, 4])]);
    expect(exited).toMatchObject({ status: 'rejected', reason: { code: 'THREAD_EXITED' } });
    expect(sum).toEqual({ status: 'fulfilled', value: 20 });
    expect(opened.lifecycle.engine.current).toEqual([]);
  });

  it('fails one of many short runs alone, when that one ends the thread', async () => {
    await using _ = await cluster(1)(remote);
    for (let time = 0; time < 20; time += 1) await maybeExit(false);
    const calls = Array.from({ length: 60 }, (_none, index) => maybeExit(index === 40));
    const settled = await Promise.allSettled(calls);
    const failures = settled.flatMap((each, index) =>
      each.status === 'rejected' ? [[index, each.reason.code]] : [],
    );
    expect(failures).toEqual([[40, 'THREAD_EXITED']]);
  });

  it('blames the run that ends the thread, not one that was resumed beside it', async () => {
    await using opened = await cluster(1)(remote);
    const innocent = waitsAfterwards();
    await opened.event('run.completed', (event) => event.routineId.includes(':add:'));
    await expect(exitLater()).rejects.toMatchObject({ code: 'THREAD_EXITED' });
    expect(await innocent).toBe('fine');
  });

  it('fails a run with what it threw where nobody could catch it', async () => {
    await using _ = await cluster(1)(remote);
    await expect(throwsUncaught()).rejects.toMatchObject({
      code: 'THREAD_EXITED',
      message: expect.stringContaining('nobody catches this'),
    });
    expect(await add(1, 41)).toBe(42);
  });

  it('does not poison a run that only waited while others ended its thread', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const waiting = waitsForNobody.with({ signal: controller.signal })();
    await opened.event('run.waiting');
    for (let time = 0; time < 4; time += 1)
      await expect(exitProcess()).rejects.toMatchObject({ code: 'THREAD_EXITED' });
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  });

  it('takes no harm from progress and logs that make no sense', async () => {
    await using opened = await cluster(1)(remote);
    expect(await tellsNonsense(7)).toBe(7);
    const told = opened.events.flatMap((event): unknown[] => {
      if (event.type === 'run.progress') return [event.done, event.total];
      return event.type === 'run.log' ? [event.level] : [];
    });
    expect(told).toEqual([7, undefined, 'info', 'info']);
  });

  it('takes no harm from a call that a body makes when it is over', async () => {
    await using _ = await cluster(1)(remote);
    expect(await callsLate()).toBe('over');
    expect(await naps(200)).toBe(200);
  });

  it('tells what a body logs before it computes for long', async () => {
    await using opened = await cluster(1)(remote);
    const run = logsThenComputes(1_500);
    let over = false;
    void run.then(() => (over = true));
    await opened.event('run.log');
    expect(over).toBe(false);
    await run;
  });

  it('keeps its workers when the calling thread itself was busy for long', async () => {
    const heartbeat = { heartbeatMs: 20, suspectMs: 100, leaseMs: 300 };
    await using opened = await cluster(2, { heartbeat })(remote);
    const end = performance.now() + 700;
    let turns = 0;
    while (performance.now() < end) turns += 1;
    expect(turns).toBeGreaterThan(0);
    expect(await add(3, 4)).toBe(7);
    expect(
      opened.events.flatMap((event) => (event.type === 'worker.status' ? [event.status] : [])),
    ).not.toContain('CLOSED');
  });

  it('keeps its pulse while a routine computes without a pause', async () => {
    const heartbeat = { heartbeatMs: 20, suspectMs: 100, leaseMs: 300 };
    await using opened = await cluster(1, { heartbeat })(remote);
    expect(await spin(600)).toBe(true);
    const statuses = opened.events.flatMap((event) => (event.type === 'worker.status' ? [event.status] : []));
    expect(statuses).not.toContain('UNRESPONSIVE');
    expect(statuses).not.toContain('CLOSED');
  });
});

describe('the status of a worker', () => {
  it('is WORKING while a body computes, HANGING while it waits for a sub-run, and IDLE when it is over', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const run = waitsForNobody.with({ signal: controller.signal })();
    await opened.event('worker.status', (event) => event.status === 'HANGING');
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    await opened.event('worker.status', (event) => event.status === 'IDLE');
    const statuses = opened.events.flatMap((event) => (event.type === 'worker.status' ? [event.status] : []));
    expect(statuses.slice(0, 2)).toEqual(['WORKING', 'HANGING']);
    expect(statuses.at(-1)).toBe('IDLE');
  });
});

describe('a cancelled call', () => {
  it('rejects at once and reaches a body that listens', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const call = waitForCancel.with({ signal: controller.signal })();
    await opened.event('run.starting');
    controller.abort(new Error('changed my mind'));
    await expect(call).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
      cause: expect.objectContaining({ message: 'changed my mind' }),
    });
    expect(await unremembered(1)).toBe(1);
  });

  it('reaches the children of a workflow', async () => {
    await using opened = await cluster(2)(remote);
    const controller = new AbortController();
    const call = waitsForChild.with({ signal: controller.signal })();
    await opened.event('run.starting', (event) => event.routineId.includes('wait-for-cancel'));
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    await opened.event('run.cancelled', (event) => event.routineId.includes('wait-for-cancel'));
    expect(await unremembered(2)).toBe(2);
  });

  it('ends a thread that does not yield, after a grace period, and the worker lives on', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const call = spin.with({ signal: controller.signal })(3_600_000);
    await opened.event('run.starting');
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await unremembered(3)).toBe(3);
  });

  it('leaves another run of its thread alone', async () => {
    await using opened = await cluster(1)(remote);
    const controller = new AbortController();
    const waiting = waitsForNobody.with({ signal: controller.signal })();
    await opened.event('run.waiting');
    const computing = spin(1_200);
    await opened.event('run.starting', (event) => event.routineId.includes('spin'));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(await computing).toBe(true);
    const starts = opened.events.filter(
      (event) => event.type === 'run.starting' && event.routineId.includes('spin'),
    );
    expect(starts).toHaveLength(1);
  });

  it('fails with RUN_TIMEOUT after timeoutMs', async () => {
    await using _ = await cluster(1)(remote);
    await expect(waitForCancel.with({ timeoutMs: 30 })()).rejects.toMatchObject({ code: 'RUN_TIMEOUT' });
  });

  it('does not start when its signal is aborted already', async () => {
    await using opened = await cluster(1)(remote);
    await expect(echo.with({ signal: AbortSignal.abort() })(1)).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
    });
    expect(opened.events.filter((event) => event.type === 'run.requested')).toEqual([]);
  });
});

describe('shutting a cluster down', () => {
  it('settles every call in hand and leaves no thread', async () => {
    const opened = await cluster(2)(remote);
    const calls = [waitForCancel(), waitsForChild(), spin(3_600_000)].map((call) =>
      call.catch((error: unknown) => (error as { code: string }).code),
    );
    await opened.event('run.starting', (event) => event.routineId.includes('spin'));
    await opened.lifecycle.shutdown();
    expect(await Promise.all(calls)).toEqual(['RUN_CANCELLED', 'RUN_CANCELLED', 'RUN_CANCELLED']);
    const handles = process
      .getActiveResourcesInfo()
      .filter((resource) => resource === 'MessagePort' || resource === 'Worker');
    expect(handles).toEqual([]);
  });

  it('refuses later calls', async () => {
    const opened = await cluster(1)();
    await opened.lifecycle.shutdown();
    await expect(opened.lifecycle.run(() => add(1, 2))).rejects.toMatchObject({ code: 'LIFECYCLE_CLOSED' });
  });
});
