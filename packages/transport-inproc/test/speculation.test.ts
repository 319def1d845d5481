import { everythingRemote, executionPolicy, type RunEvent } from '@routine-engine/core';
import { afterEach, describe, expect, it } from 'vitest';
import { cluster, type Opened } from './fixtures/engines.ts';
import { callsStraggler, straggles } from './fixtures/run-control-routines.ts';

describe('a task that straggles', () => {
  let opened: Opened;
  afterEach(() => opened.lifecycle.shutdown());

  it.each([
    ['waits for what does not come', straggles, false],
    ['computes without a pause', straggles, true],
    ['is called by a workflow on a worker', callsStraggler, false],
  ] as const)('gives the value of its second execution: one that %s', async (__, routine, spins) => {
    opened = await cluster(3)(executionPolicy(everythingRemote));
    expect(await routine(spins)).toBe(2);
    const told = opened.events.filter(
      (event): event is RunEvent => 'routineId' in event && event.routineId.includes('straggles'),
    );
    const ends = told.filter(({ type }) => type === 'run.completed' || type === 'run.failed');
    expect(ends.map(({ type }) => type)).toEqual(['run.completed']);
  });

  it('is executed twice when a workflow here calls it, and its workers go on', async () => {
    opened = await cluster(2)();
    expect(await callsStraggler(true)).toBe(2);
    expect(await callsStraggler(false)).toBe(2);
  });
});
