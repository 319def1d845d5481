import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentRun, define, Lifecycle, type EngineEvent } from '../../src/index.js';

const gates = new Map<string, () => void>();
const gate = (name: string): Promise<void> => new Promise((open) => gates.set(name, open));

let lifecycle: Lifecycle;
let events: EngineEvent[];

const child = define.task({ name: 'child', version: '1.0.0' }, () => currentRun().parentRunId);
const waits = define.task({ name: 'waits', version: '1.0.0', cache: false }, () => gate('waits'));
const byId = (id: string, args: readonly unknown[] = []) => lifecycle.call(id, args);
const inLifecycle = <T>(callback: () => T): T => lifecycle.run(callback);

const callsById = define.workflow({ name: 'calls-by-id' }, async (id: string) => [
  currentRun().runId,
  await byId(id),
]);
const callsInLifecycle = define.workflow({ name: 'calls-in-lifecycle' }, () =>
  inLifecycle(async () => [currentRun().runId, await child()]),
);
const taskById = define.task({ name: 'task-by-id', version: '1.0.0' }, () => byId('tname:child'));
const taskInLifecycle = define.task({ name: 'task-in-lifecycle', version: '1.0.0' }, () =>
  inLifecycle(() => child()),
);

beforeEach(async () => {
  lifecycle = await Lifecycle.init({ project: 'test' });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
});
afterEach(() => lifecycle.shutdown());

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

describe('a call by id, or in lifecycle.run, inside a run of the same lifecycle', () => {
  it.each([
    ['by id', () => callsById('tname:child:1.0.0')],
    ['in lifecycle.run', () => callsInLifecycle()],
  ])('is a sub-run: %s', async (_, run) => {
    const [runId, parentRunId] = (await run()) as string[];
    expect(parentRunId).toBe(runId);
  });

  it('lets its caller hang, and ends with it', async () => {
    const controller = new AbortController();
    const call = callsById.with({ signal: controller.signal })('tname:waits:1.0.0');
    await settle();
    expect(lifecycle.engine.current.map(({ status }) => status)).toEqual(['HANGING', 'RUNNING']);
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(lifecycle.engine.current).toEqual([]);
    expect(events.filter(({ type }) => type === 'run.cancelled')).toHaveLength(2);
  });

  it.each([
    ['by id', taskById],
    ['in lifecycle.run', taskInLifecycle],
  ])('is refused inside a task: %s', async (_, task) => {
    await expect(task()).rejects.toMatchObject({ code: 'TASK_CALLED_ROUTINE' });
  });
});

describe('a call by id', () => {
  it('rejects, and does not throw, when there is no such id', async () => {
    const refused = lifecycle.call('no id');
    await expect(refused).rejects.toMatchObject({ code: 'ROUTINE_ID_INVALID' });
    await expect(lifecycle.call('tname:other:child')).rejects.toMatchObject({
      code: 'ROUTINE_ID_CONTRADICTS',
    });
  });

  it('means a routine of its own project only', async () => {
    define.workflow({ name: 'elsewhere', project: 'other' }, () => 'of the other project');
    await expect(lifecycle.call('wfname:elsewhere')).rejects.toMatchObject({ code: 'ROUTINE_UNKNOWN' });
  });
});

describe('shutting down', () => {
  it('ends for everybody who asks, by way of the engine too', async () => {
    const call = waits().catch((error: unknown) => error);
    await settle();
    await Promise.all([lifecycle.engine.shutdown(), lifecycle.shutdown(), lifecycle.engine.shutdown()]);
    expect(await call).toMatchObject({ code: 'RUN_CANCELLED' });
  });
});
