import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ADAPTER_API_VERSION, CLOCK, LIMITS, provide, type Clock } from '../../src/adapter.js';
import { currentRun, define, Lifecycle, type RunHandle } from '../../src/index.js';
import { unhandledDuring } from '../context/unhandled-rejections.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';

let now = 0;
let timers: { readonly at: number; readonly callback: () => void }[] = [];
/** Time that passes when a test says so. */
const clock: Clock = {
  now: () => now,
  monotonic: () => now,
  after(milliseconds, callback) {
    const timer = { at: now + milliseconds, callback };
    timers.push(timer);
    return { cancel: () => void (timers = timers.filter((other) => other !== timer)) };
  },
  nextTurn: (callback) => systemClock.nextTurn(callback),
};
function pass(milliseconds: number): void {
  now += milliseconds;
  const due = timers.filter(({ at }) => at <= now);
  timers = timers.filter(({ at }) => at > now);
  for (const { callback } of due) callback();
}
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

const increment = define.task({ name: 'increment', version: '1.0.0', cache: false }, (n: number) => n + 1);
const gates: (() => void)[] = [];
const gated = define.workflow(
  { name: 'gated' },
  () => new Promise<string>((open) => gates.push(() => open('open'))),
);
const fails = define.workflow({ name: 'fails' }, (): number => {
  throw new RangeError('out of range');
});
const asksAncestor = define.workflow({ name: 'asks-ancestor' }, async () => {
  const { parentRunId = '', runId } = currentRun();
  const ended = [parentRunId, runId].map(async (id) => (await lifecycle.runs.get(id))?.result());
  const outcomes = await Promise.allSettled(ended);
  return outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason as Error).message : ''));
});
const callsAsker = define.workflow({ name: 'calls-asker' }, () => asksAncestor());
let handle: RunHandle<string>;
const waitsForHandle = define.workflow({ name: 'waits-for-handle' }, () => handle.result());

let lifecycle: Lifecycle;
beforeEach(async () => {
  gates.length = 0;
  timers = [];
  const plugin = { name: 'time', api: ADAPTER_API_VERSION, parts: [provide(CLOCK, () => clock)] };
  lifecycle = await Lifecycle.init({ project: 'test', plugins: [plugin] });
});
afterEach(() => lifecycle.shutdown());

describe('submitted runs that are over', () => {
  it('are known for a while, and no timer is left when all are forgotten', async () => {
    const first = increment.submit(1);
    await first.result();
    pass(LIMITS.finishedRunsMs / 2);
    const second = increment.submit(2);
    await second.result();
    pass(LIMITS.finishedRunsMs / 2);
    expect(await lifecycle.runs.get(first.runId)).toBeUndefined();
    expect(await (await lifecycle.runs.get(second.runId))?.result()).toBe(3);
    pass(LIMITS.finishedRunsMs / 2);
    expect(await lifecycle.runs.list()).toEqual([]);
    expect(timers).toEqual([]);
  });

  it('are at most so many', async () => {
    const handles = Array.from({ length: LIMITS.finishedRuns + 5 }, (_, n) => increment.submit(n));
    await Promise.all(handles.map((each) => each.result()));
    const listed = await lifecycle.runs.list({ limit: 1_000 });
    expect(listed.map(({ runId }) => runId)).toEqual(handles.slice(5).map(({ runId }) => runId));
    for (const { runId } of handles.slice(0, 5)) expect(await lifecycle.runs.get(runId)).toBeUndefined();
  });

  it('are forgotten with the lifecycle', async () => {
    await increment.submit(1).result();
    await lifecycle.shutdown();
    expect(timers).toEqual([]);
    expect(await lifecycle.runs.list()).toEqual([]);
  });
});

describe('runs', () => {
  it('are listed as a filter wants them', async () => {
    const done = increment.submit(1);
    await done.result();
    const hanging = gated.submit();
    const parts = { routineId: 'wfname:test:gated', runId: hanging.runId, rootRunId: hanging.runId };
    const listed = await lifecycle.runs.list({ routine: 'wfname:gated' });
    expect(listed).toEqual([
      { ...parts, status: 'RUNNING', attempt: 1, waitsFor: [], parentRunId: undefined },
    ]);
    expect(await lifecycle.runs.list({ status: 'DONE' })).toMatchObject([{ runId: done.runId }]);
    expect(await lifecycle.runs.list({ limit: 1 })).toMatchObject([{ runId: done.runId }]);
    expect(await lifecycle.runs.list({ rootRunId: hanging.runId })).toHaveLength(1);
    expect(await lifecycle.runs.list({ parentRunId: hanging.runId })).toEqual([]);
    gates[0]?.();
    await hanging.result();
  });

  it.each([
    [{ limit: 0 }, 'OPTION_INVALID'],
    [{ limit: 1_001 }, 'OPTION_INVALID'],
    [{ status: 'OVER' as never }, 'OPTION_INVALID'],
    [{ rootRunId: 7 as never }, 'OPTION_INVALID'],
    [{ routine: 'gated' }, 'ROUTINE_ID_INVALID'],
  ])('are not listed by %j', async (filter, code) => {
    await expect(lifecycle.runs.list(filter)).rejects.toMatchObject({ code });
  });

  it('that are submitted and fail end no process', async () => {
    const unhandled = await unhandledDuring(async () => {
      const failed = fails.submit();
      await settle();
      expect(failed.status).toBe('FAILED');
    });
    expect(unhandled).toEqual([]);
  });

  it('can not wait for themselves or for those that wait for them, with the chain that shows it', async () => {
    const [parent, itself] = await callsAsker();
    expect(parent).toMatch(/would wait for ever .* waits for it: .*wfname:test:asks-ancestor/);
    expect(itself).toMatch(/would wait for ever .* it is itself/);
  });

  it('hang while they wait for the handle of another, and wait no more once they are cancelled', async () => {
    handle = gated.submit();
    const waiter = waitsForHandle.submit();
    await settle();
    expect(await lifecycle.runs.list({ status: 'HANGING' })).toMatchObject([
      { runId: waiter.runId, waitsFor: [handle.runId] },
    ]);
    waiter.cancel();
    await expect(waiter.result()).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(handle.status).toBe('RUNNING');
    const another = waitsForHandle();
    gates[0]?.();
    expect(await another).toBe('open');
    expect(lifecycle.engine.current).toEqual([]);
  });

  it('that were called can be watched and cancelled', async () => {
    const call = gated();
    const found = await lifecycle.runs.get(lifecycle.engine.current[0]?.runId ?? '');
    const statuses: string[] = [];
    found?.status$.subscribe((status) => statuses.push(status));
    found?.cancel('enough');
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough' });
    expect(statuses).toEqual(['RUNNING', 'CANCELLED']);
    expect(found?.status).toBe('CANCELLED');
    await expect(found?.result()).rejects.toMatchObject({ code: 'RUN_NOT_SUBMITTED' });
  });
});
