import { everythingRemote, executionPolicy, type RunEvent } from '@routine-engine/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cluster, local, type Opened } from './fixtures/engines.ts';
import {
  callsFlaky,
  decidesBadly,
  decidesItself,
  flaky,
  flakyRemembered,
  flakyWorkflow,
  hangsForEver,
  slowBefore,
  slowChild,
  spinsFirst,
} from './fixtures/run-control-routines.ts';

const engines: [string, () => Promise<Opened>][] = [
  ['the local engine', () => local()],
  ['a cluster of one worker', () => cluster(1)()],
  ['a cluster where nothing runs here', () => cluster(2)(executionPolicy(everythingRemote))],
];

describe.each(engines)('retries on %s', (_, start) => {
  let opened: Opened;
  beforeAll(async () => {
    opened = await start();
  });
  afterAll(() => opened.lifecycle.shutdown());

  const eventsOf = (runId: string): RunEvent[] =>
    opened.events.filter((event): event is RunEvent => 'runId' in event && event.runId === runId);

  it('run what failed again, as one run whose attempts count', async () => {
    const { runId, attempt } = await flaky(3);
    expect(attempt).toBe(3);
    const told = eventsOf(runId).filter(({ type }) => type !== 'run.dispatched');
    expect(told.map(({ type, attempt: at }) => [type, at])).toEqual([
      ['run.requested', 1],
      ['run.starting', 1],
      ['run.retrying', 2],
      ['run.starting', 2],
      ['run.retrying', 3],
      ['run.starting', 3],
      ['run.completed', 3],
    ]);
    expect(told[2]).toMatchObject({ delayMs: 0, error: { name: 'FlakyError', code: 'FLAKY' } });
  });

  it('hold for remembered tasks, for workflows, and for calls inside runs', async () => {
    const [one, two] = await Promise.all([flakyRemembered(2, 'outside'), flakyRemembered(2, 'outside')]);
    expect(one).toEqual(two);
    expect(one.attempt).toBe(2);
    expect((await flakyWorkflow(4)).attempt).toBe(4);
    expect((await callsFlaky(3)).map(({ attempt }) => attempt)).toEqual([3, 3, 3]);
  });

  it('end with the last error when none is left', async () => {
    await expect(flaky(5)).rejects.toMatchObject({ name: 'FlakyError', message: /^attempt 4 of/ });
    await expect(flaky.with({ retries: 1 })(5)).rejects.toMatchObject({ message: /^attempt 2 of/ });
    await expect(flaky.with({ retries: 0 })(2)).rejects.toMatchObject({ message: /^attempt 1 of/ });
  });

  it('leave alone what is said to be final', async () => {
    for (const final of ['FLAKY', 'FlakyError']) {
      const retries = { attempts: 3, backoffMs: 0, nonRetryable: [final] };
      await expect(flaky.with({ retries })(2)).rejects.toMatchObject({ message: /^attempt 1 of/ });
    }
  });

  it('ask a function of the caller, wherever the caller runs', async () => {
    expect(await decidesItself(9)).toEqual({ asked: ['FlakyError', 'FlakyError'], ended: 'attempt 3' });
    expect(await decidesItself(2)).toEqual({ asked: ['FlakyError', 'FlakyError'], ended: 'FlakyError' });
    await expect(decidesBadly()).rejects.toMatchObject({ name: 'RangeError', message: 'could not decide' });
  });

  it('end their waiting when the call is cancelled or its time is over', async () => {
    const LONG = {
      attempts: 3,
      backoffMs: 2_000_000_000,
      maxBackoffMs: 2_000_000_000,
      jitter: 'none',
    } as const;
    const controller = new AbortController();
    const cancelled = flaky.with({ retries: LONG, signal: controller.signal });
    const call = cancelled(2);
    const retrying = await opened.event(
      'run.retrying',
      ({ delayMs, routineId }) => delayMs === 2_000_000_000 && routineId === 'tname:test:flaky:1.0.0',
    );
    controller.abort(new Error('enough'));
    await expect(call).rejects.toMatchObject({ code: 'RUN_CANCELLED' });
    expect(eventsOf(retrying.runId).at(-1)).toMatchObject({ type: 'run.cancelled', attempt: 2 });
    await expect(flaky.with({ retries: LONG, timeoutMs: 100 })(2)).rejects.toMatchObject({
      code: 'RUN_TIMEOUT',
      message: expect.stringContaining('timeoutMs of 100'),
    });
  });

  it('run again an attempt that took too long, and cancel its sub-runs', async () => {
    expect(await slowBefore(3)).toBe(3);
    expect(await slowChild()).toBe(2);
    const child = await opened.event('run.cancelled', ({ routineId }) =>
      routineId.includes('hangs-for-ever'),
    );
    expect(child.error.code).toBe('ATTEMPT_TIMEOUT');
  });

  it('name the routine and its limit when no attempt is left', async () => {
    await expect(slowBefore.with({ retries: 0 })(2)).rejects.toMatchObject({
      name: 'RoutineEngineError',
      code: 'ATTEMPT_TIMEOUT',
      message: 'Attempt 1 of tname:test:slow-before:1.0.0 took longer than its attemptTimeoutMs of 50',
    });
    await expect(hangsForEver.with({ attemptTimeoutMs: 50 })()).rejects.toMatchObject({
      code: 'ATTEMPT_TIMEOUT',
    });
  });

  it('have no run in hand when all calls have settled', () => {
    expect(opened.lifecycle.engine.current).toEqual([]);
  });
});

it('ends an attempt that computes without a pause with its thread, and runs it again', async () => {
  await using opened = await cluster(1)(executionPolicy(everythingRemote));
  expect(await spinsFirst()).toBe(2);
  expect(opened.lifecycle.engine.current).toEqual([]);
});
