import { AssertionError } from 'node:assert';
import { define, type EngineEvent } from '@routine-engine/core';
import {
  expectStatuses,
  pause,
  statusMatchers,
  testCluster,
  timelineOf,
  type StatusTimeline,
} from '@routine-engine/transport-inproc/testing';
import { describe, expect, it } from 'vitest';

declare module 'vitest' {
  interface Matchers<T> {
    toHaveStatuses(expected: readonly string[]): T;
  }
}
expect.extend(statusMatchers);

const wait = define.task({ name: 'wait', version: '1.0.0' }, async (ms: number) => {
  await pause(ms);
  if (ms > 1_000) throw new RangeError('too long');
});
const waits = define.workflow({ name: 'waits' }, async (...times: number[]) => {
  for (const ms of times) await wait(ms);
});

const told = (...statuses: string[]): StatusTimeline => ({ name: 'it', statuses, changes: [] });

describe('a timeline', () => {
  it('has the statuses of runs and workers, and where runs began', async () => {
    await using cluster = await testCluster({ workers: 1 });
    await cluster.run(() => waits(10));
    await expect(cluster.run(() => waits(10, 2_000))).rejects.toThrow(RangeError);
    const timeline = cluster.timeline();
    const [first, second] = timeline.runsOf('wfname:waits');
    expect(first?.statuses).toEqual(['PENDING', 'RUNNING', 'HANGING', 'RUNNING', 'DONE']);
    expect(first?.workers).toEqual(['client']);
    expect(second).toHaveStatuses(['PENDING', '...', 'HANGING', 'RUNNING', 'FAILED']);
    expect(timeline.runsOf('wait').map(({ statuses }) => statuses.join(' '))).toEqual([
      'PENDING RUNNING DONE',
      'PENDING DONE',
      'PENDING RUNNING FAILED',
    ]);
    expect(timeline.run(first?.runId ?? '').parentRunId).toBeUndefined();
    expect(timeline.runsOf('wait')[0]?.workers).toEqual(['worker-1']);
    expect(timeline.runsOf('tname:test:wait:1.0.0')[0]?.parentRunId).toBe(first?.runId);
    expect(timeline.worker('worker-1')).toHaveStatuses(['IDLE', 'WORKING', '...', 'WORKING', 'IDLE']);
    expect(timeline.worker('worker-2').statuses).toEqual([]);
    const times = timeline.runs.flatMap(({ changes }) => changes.map(({ at }) => at));
    expect(times.at(-1)).toBeGreaterThan(times[0] ?? 0);
  });

  it('refuses a name that means no run or several, and says what there is', () => {
    const run = {
      routineId: 'tname:abc:one:1.0.0',
      node: 'client',
      at: 0,
      attempt: 1,
      rootRunId: '1',
    } as const;
    const events: EngineEvent[] = [
      { ...run, type: 'run.requested', runId: '1' },
      { ...run, type: 'run.requested', runId: '2' },
    ];
    expect(() => timelineOf(events).run('one')).toThrow(
      'There are 2 runs of one; there are runs of tname:abc:one:1.0.0',
    );
    expect(() => timelineOf(events).run('two')).toThrow('There are 0 runs of two');
    expect(() => timelineOf([]).run('two')).toThrow('there are runs of none at all');
    expect(timelineOf(events).run('2').statuses).toEqual(['PENDING']);
  });
});

describe('expected statuses', () => {
  it.each([
    [
      ['A', 'B'],
      ['A', 'B'],
    ],
    [
      ['A', 'B', 'C'],
      ['A', '...', 'C'],
    ],
    [
      ['A', 'C'],
      ['A', '...', 'C'],
    ],
    [
      ['A', 'C', 'B', 'C'],
      ['...', 'C'],
    ],
    [
      ['A', 'B'],
      ['A', '...'],
    ],
    [[], ['...']],
    [
      ['A', 'B', 'A', 'C'],
      ['...', 'A', 'C', '...'],
    ],
  ])('%j fits %j', (statuses, expected) => {
    expectStatuses(told(...statuses), expected);
    expect(told(...statuses)).toHaveStatuses(expected);
  });

  it.each([
    [['A', 'B'], ['A']],
    [['A'], ['A', 'B']],
    [
      ['A', 'B', 'C'],
      ['A', 'C'],
    ],
    [
      ['A', 'B'],
      ['...', 'A'],
    ],
    [[], ['A']],
    [['A'], []],
  ])('%j does not fit %j', (statuses, expected) => {
    expect(() => expectStatuses(told(...statuses), expected)).toThrow(AssertionError);
    expect(told(...statuses)).not.toHaveStatuses(expected);
  });

  it('say what there was', () => {
    const { message, pass } = statusMatchers.toHaveStatuses(told('A', 'B'), ['...', 'C']);
    expect([pass, message()]).toEqual([false, 'it went through A > B, not through ... > C']);
    expect(() => expectStatuses(told(), ['A'])).toThrow('it went through no status, not through A');
    expect(statusMatchers.toHaveStatuses(told('A'), ['A']).message()).toBe('it went through A');
    expect(statusMatchers.toHaveStatuses('A', ['A'])).toMatchObject({ pass: false });
  });
});
