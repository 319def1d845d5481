import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentRun, define, Lifecycle, type EngineEvent, type WorkerStatus } from '../../src/index.js';

const gates = new Map<string, () => void>();
const gate = (name: string): Promise<void> => new Promise((open) => gates.set(name, open));
const openGate = (name: string): void => gates.get(name)?.();

const waits = define.task({ name: 'waits', version: '1.0.0', cache: false }, (name: string) =>
  gate(name).then(() => name),
);
const ignoresCancel = define.task(
  { name: 'ignores-cancel', version: '1.0.0' },
  () => new Promise<never>(() => undefined),
);
const bothAtOnce = define.workflow({ name: 'both-at-once' }, async () => {
  await Promise.all([waits('one'), waits('two')]);
  await gate('after');
});
const raced = define.workflow({ name: 'raced' }, () => Promise.race([waits('slow'), waits('quick')]));
const leavesOneBehind = define.workflow({ name: 'leaves-one-behind' }, () => {
  void waits('left');
  return 'done';
});
const failsAfterwards = define.workflow({ name: 'fails-afterwards' }, (): string => {
  void waits('never');
  throw new RangeError('out of range');
});
const changes = define.workflow({ name: 'changes' }, (list: { items: number[] }) => {
  list.items.push(4);
  return list;
});
const attempt = define.task({ name: 'attempt', version: '1.0.0' }, () => currentRun().attempt);

let lifecycle: Lifecycle;
let events: EngineEvent[];
let statuses: WorkerStatus[];

beforeEach(async () => {
  gates.clear();
  lifecycle = await Lifecycle.init({ project: 'test' });
  events = [];
  statuses = [];
  lifecycle.events$.subscribe((event) => events.push(event));
  lifecycle.engine.status$.subscribe((status) => statuses.push(status));
});
afterEach(() => lifecycle.shutdown());

/** Lets promises go on as far as they can. */
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 30; turn += 1) await Promise.resolve();
};
const typesOf = (routine: string): string[] =>
  events.flatMap((event) => ('routineId' in event && event.routineId.includes(routine) ? [event.type] : []));

describe('the status of the engine', () => {
  it('is HANGING while a body waits for sub-runs, until the last of them is back', async () => {
    const run = bothAtOnce();
    await settle();
    expect(lifecycle.engine.current.map(({ routineId, status }) => [routineId, status])).toEqual([
      ['wfname:test:both-at-once', 'HANGING'],
      ['tname:test:waits:1.0.0', 'RUNNING'],
      ['tname:test:waits:1.0.0', 'RUNNING'],
    ]);
    openGate('one');
    await settle();
    expect(lifecycle.engine.current[0]).toMatchObject({ status: 'HANGING' });
    openGate('two');
    await settle();
    expect(lifecycle.engine.current[0]).toMatchObject({ status: 'RUNNING' });
    openGate('after');
    await run;
    expect(typesOf('both-at-once')).toEqual([
      'run.requested',
      'run.starting',
      'run.hanging',
      'run.resumed',
      'run.completed',
    ]);
  });

  it('goes from IDLE to WORKING and back', async () => {
    const run = waits('gate');
    await settle();
    openGate('gate');
    await run;
    expect(statuses).toEqual(['IDLE', 'WORKING', 'IDLE']);
  });

  it('says what each run waits for', async () => {
    const run = raced();
    await settle();
    const [parent, ...children] = lifecycle.engine.current;
    expect(parent?.waitsFor).toEqual(children.map((child) => child.runId));
    expect(children.map((child) => child.parentRunId)).toEqual([parent?.runId, parent?.runId]);
    openGate('quick');
    expect(await run).toBe('quick');
    openGate('slow');
  });
});

describe('a local run', () => {
  it('leaves the arguments of the caller as they were, also for a workflow', async () => {
    const given = { items: [1, 2, 3] };
    const result = await changes(given);
    expect(result.items).toEqual([1, 2, 3, 4]);
    expect(given.items).toEqual([1, 2, 3]);
  });

  it('cancels a sub-run that it did not wait for, and that ends no process', async () => {
    expect(await leavesOneBehind()).toBe('done');
    expect(lifecycle.engine.current).toEqual([]);
    expect(typesOf('leaves-one-behind').at(-1)).toBe('run.completed');
    expect(typesOf('waits').at(-1)).toBe('run.cancelled');
  });

  it('rejects with what its body threw, the very error', async () => {
    await expect(failsAfterwards()).rejects.toBeInstanceOf(RangeError);
  });

  it('is cancelled at once, also when its body takes no notice', async () => {
    const controller = new AbortController();
    const run = ignoresCancel.with({ signal: controller.signal })();
    await settle();
    controller.abort();
    await expect(run).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
  });

  it('has no attempt but the first', async () => {
    expect(await attempt()).toBe(1);
  });
});

describe('shutting down', () => {
  it('settles every call in hand', async () => {
    const calls = [waits('a'), bothAtOnce(), ignoresCancel()].map((call) =>
      call.catch((error: unknown) => error),
    );
    await settle();
    await lifecycle.shutdown();
    for (const error of await Promise.all(calls)) expect(error).toMatchObject({ code: 'RUN_CANCELLED' });
    expect(lifecycle.engine.current).toEqual([]);
    expect(statuses.at(-1)).toBe('TERMINATING');
  });
});
