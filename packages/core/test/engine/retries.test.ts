import { expect, it } from 'vitest';
import { ADAPTER_API_VERSION, CLOCK, provide, RANDOM, type Clock } from '../../src/adapter.js';
import { define, Lifecycle, type RunRetrying } from '../../src/index.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';

/** Time that never makes anybody wait, and notes how long it would have been. */
function hurriedClock(waits: (readonly [milliseconds: number, holds: boolean])[]): Clock {
  return {
    now: () => 0,
    monotonic: () => 0,
    after(milliseconds, callback, { holdsProcess = false } = {}) {
      waits.push([milliseconds, holdsProcess]);
      return systemClock.after(0, callback);
    },
    nextTurn: (callback) => systemClock.nextTurn(callback),
  };
}

const fails = define.workflow({ name: 'fails' }, (): number => {
  throw new TypeError('always');
});

it('waits as its options say, by the clock and the chance of the lifecycle, and holds the process meanwhile', async () => {
  const waits: (readonly [number, boolean])[] = [];
  const plugin = {
    name: 'time-and-chance',
    api: ADAPTER_API_VERSION,
    parts: [provide(CLOCK, () => hurriedClock(waits)), provide(RANDOM, () => ({ next: () => 0.25 }))],
  };
  await using lifecycle = await Lifecycle.init({ project: 'test', plugins: [plugin] });
  const told: RunRetrying[] = [];
  lifecycle.events$.subscribe((event) => event.type === 'run.retrying' && told.push(event));
  await expect(fails.with({ retries: 3 })()).rejects.toThrow('always');
  expect(told.map(({ delayMs, attempt }) => [delayMs, attempt])).toEqual([
    [250, 2],
    [500, 3],
    [1_000, 4],
  ]);
  const wanted = told.map(({ delayMs }) => [delayMs, true]);
  expect(waits.filter(([, holds]) => holds)).toEqual(wanted);
  const retries = { attempts: 3, backoffMs: 10, factor: 10, maxBackoffMs: 500, jitter: 'none' } as const;
  await expect(fails.with({ retries })()).rejects.toThrow('always');
  expect(told.slice(3).map(({ delayMs }) => delayMs)).toEqual([10, 100, 500]);
});
