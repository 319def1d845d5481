import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { define } from '../../src/define/define.ts';
import { Lifecycle } from '../../src/lifecycle/lifecycle.ts';
import { TempSpool } from '../../src/lifecycle/platform/temp-spool.ts';
import { unlessAborted, untilAborted } from '../../src/model/until-aborted.ts';
import { whenAborted } from '../../src/model/when-aborted.ts';

const REASON = new Error('no longer wanted');
const MANY = Array.from({ length: 40 }, (_, at) => at);

const never = (): Promise<never> => new Promise(() => undefined);
// oxlint-disable-next-line require-yield -- a source whose first chunk never comes
async function* silent(): AsyncGenerator<Uint8Array> {
  await never();
}

describe('one signal for many at once', () => {
  let warnings: Error[];
  const warn = (warning: Error): unknown => warnings.push(warning);
  beforeEach(() => {
    warnings = [];
    process.on('warning', warn);
  });
  afterEach(() => void process.off('warning', warn));

  const wait = define.task({ name: 'wait', version: '1.0.0', cache: false }, never);
  it.each<[string, (signal: AbortSignal, lifecycle: Lifecycle) => Promise<unknown>]>([
    ['calls', (signal) => wait.with({ signal })()],
    ['maps', (signal) => wait.map([1], { signal, args: () => [] }).next()],
    ['operations', (signal) => unlessAborted(never(), signal)],
    ['chunks', (signal) => untilAborted(silent(), signal).next()],
    ['streams that are kept', (signal) => new TempSpool().put(silent(), { signal })],
  ])('ends them all, without a warning of the runtime: %s', async (_, start) => {
    await using lifecycle = await Lifecycle.init({ project: 'test' });
    const controller = new AbortController();
    const ends = Promise.allSettled(MANY.map(() => start(controller.signal, lifecycle)));
    // The runtime warns in a turn of its own.
    await new Promise((resolve) => setImmediate(resolve));
    controller.abort(REASON);
    for (const end of await ends) {
      expect(end.status).toBe('rejected');
      const { reason } = end as PromiseRejectedResult;
      expect([reason, (reason as Error).cause]).toContain(REASON);
    }
    expect(warnings).toEqual([]);
  });
});

describe('waiting for a signal', () => {
  it('that was ended is not told, and leaves the others waiting', () => {
    const controller = new AbortController();
    const told: number[] = [];
    const ends = [1, 2, 3].map((each) => whenAborted(controller.signal, () => told.push(each)));
    ends[1]?.();
    ends[1]?.();
    controller.abort();
    expect(told).toEqual([1, 3]);
    for (const end of ends) end();
  });

  it('goes on with a new one when all before were ended', () => {
    const controller = new AbortController();
    const told: number[] = [];
    whenAborted(controller.signal, () => told.push(1))();
    whenAborted(controller.signal, () => told.push(2));
    controller.abort();
    expect(told).toEqual([2]);
  });
});
