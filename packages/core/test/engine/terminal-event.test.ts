import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { currentRun, define, Lifecycle, type EngineEvent } from '../../src/index.js';

/** Bodies that go on when the test says so, whatever became of their run. */
const gates = new Map<string, () => void>();
const gate = (name: string): Promise<void> => new Promise((open) => gates.set(name, open));
const openGate = (name: string): void => gates.get(name)?.();

async function speaks(name: string): Promise<string> {
  const run = currentRun();
  run.progress(1);
  await gate(name);
  run.progress(2);
  run.log('went on');
  return name;
}
const remembered = define.task({ name: 'remembered', version: '1.0.0' }, speaks);
const speaksLate = define.workflow({ name: 'speaks-late' }, () => {
  const run = currentRun();
  void gate('late').then(() => {
    run.progress(1);
    run.log('late');
  });
});
const ticks = define.task({ name: 'ticks', version: '1.0.0', cache: false }, async (n: number) => {
  for (let tick = 0; tick < n; tick += 1) await Promise.resolve();
  return n;
});
const races = define.workflow({ name: 'races' }, (ahead: number) =>
  Promise.race([ticks(10), ticks(10 + ahead)]),
);

let lifecycle: Lifecycle;
let events: EngineEvent[];

beforeEach(async () => {
  gates.clear();
  lifecycle = await Lifecycle.init({ project: 'test' });
  events = [];
  lifecycle.events$.subscribe((event) => events.push(event));
});
afterEach(() => lifecycle.shutdown());

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

/** The types of the events of each run of a routine, in the order of the runs. */
function typesOfRuns(name: string): string[][] {
  const runs = new Map<string, string[]>();
  for (const event of events) {
    if (!('runId' in event) || !event.routineId.includes(name)) continue;
    runs.set(event.runId, [...(runs.get(event.runId) ?? []), event.type.replace('run.', '')]);
  }
  return [...runs.values()];
}

describe('the terminal event of a run is its last', () => {
  it('when its body goes on after it was cancelled', async () => {
    const controller = new AbortController();
    const call = remembered.with({ signal: controller.signal })('cancelled');
    await settle();
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    openGate('cancelled');
    await settle();
    expect(typesOfRuns('remembered')).toEqual([['requested', 'starting', 'progress', 'cancelled']]);
  });

  it('when its body goes on for an equal call', async () => {
    const controller = new AbortController();
    const owner = remembered.with({ signal: controller.signal })('shared');
    const joined = remembered('shared');
    await settle();
    controller.abort();
    await expect(owner).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    openGate('shared');
    expect(await joined).toBe('shared');
    expect(typesOfRuns('remembered')).toEqual([
      ['requested', 'starting', 'progress', 'cancelled'],
      ['requested', 'cached'],
    ]);
  });

  it('when something that its body left behind speaks later', async () => {
    await speaksLate();
    openGate('late');
    await settle();
    expect(typesOfRuns('speaks-late')).toEqual([['requested', 'starting', 'completed']]);
  });

  it.each(Array.from({ length: 25 }, (_, ahead) => ahead))(
    'when its parent ends %d ticks before it',
    async (ahead) => {
      await races(ahead);
      await settle();
      for (const [, , ...ends] of typesOfRuns('ticks')) {
        expect(ends).toHaveLength(1);
        expect(ends[0]).toMatch(/^(completed|cancelled)$/);
      }
      expect(typesOfRuns('ticks')).toHaveLength(2);
    },
  );

  it.each([
    ['run here', ticks],
    ['remembered', define.task({ name: 'ticks-remembered', version: '1.0.0' }, (n: number) => n)],
  ])('when a listener cancels a run that it hears is over: %s', async (_, task) => {
    const controller = new AbortController();
    lifecycle.events$.subscribe((event) => {
      if (event.type === 'run.completed') controller.abort();
    });
    await task
      .with({ signal: controller.signal })(1)
      .catch(() => undefined);
    expect(typesOfRuns('ticks')).toEqual([['requested', 'starting', 'completed']]);
  });

  it('and says what its caller gets', async () => {
    const controller = new AbortController();
    lifecycle.events$.subscribe((event) => {
      if (event.type === 'run.completed') controller.abort();
    });
    expect(await ticks.with({ signal: controller.signal })(1)).toBe(1);
  });
});
