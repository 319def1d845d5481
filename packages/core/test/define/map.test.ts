import { afterEach, beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import { currentRun, define, Lifecycle } from '../../src/index.js';

const increment = define.task({ name: 'increment', version: '1.0.0', cache: false }, (n: number) => n + 1);
const join = define.task(
  { name: 'join', version: '1.0.0', cache: false },
  (left: string, right: number) => `${left}${right}`,
);
const padded = define.task(
  { name: 'padded', version: '1.0.0', cache: false },
  (text: string, length?: number) => text.padEnd(length ?? 3),
);
const nothing = define.task({ name: 'nothing', version: '1.0.0', cache: false }, () => 'nothing');

const gates = new Map<number, (value: number) => void>();
/** Ends when its gate is opened, or when it is cancelled. */
const gated = define.task({ name: 'gated', version: '1.0.0', cache: false }, (n: number) => {
  const { signal } = currentRun();
  return new Promise<number>((resolve, reject) => {
    gates.set(n, resolve);
    signal.addEventListener('abort', () => {
      gates.delete(n);
      reject(signal.reason as Error);
    });
  });
});
const open = (n: number): void => {
  gates.get(n)?.(n);
  gates.delete(n);
};
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve();
};

function* upTo(count: number, told: { pulled: number; closed: boolean }): Generator<number> {
  try {
    for (; told.pulled < count;) yield (told.pulled += 1);
  } finally {
    told.closed = true;
  }
}

let lifecycle: Lifecycle;
beforeEach(async () => {
  gates.clear();
  lifecycle = await Lifecycle.init({ project: 'test' });
});
afterEach(() => lifecycle.shutdown());

describe('the types of map', () => {
  it('follow from the routine', () => {
    expectTypeOf(increment.map([1])).toEqualTypeOf<AsyncIterableIterator<number>>();
    expectTypeOf(padded.map(new Set(['a']))).toEqualTypeOf<AsyncIterableIterator<string>>();
    expectTypeOf(increment.map([1], { settled: true })).toEqualTypeOf<
      AsyncIterableIterator<PromiseSettledResult<number>>
    >();
    expectTypeOf(join.map(['a'], { args: (left) => [left, 1] })).toEqualTypeOf<
      AsyncIterableIterator<string>
    >();
    // @ts-expect-error -- a routine that needs two arguments can't be called with one item
    join.map(['a']);
    // @ts-expect-error -- nor one that takes none
    nothing.map(['a']);
    // @ts-expect-error -- an item of another type
    increment.map(['a']);
    // @ts-expect-error -- arguments of another type
    join.map(['a'], { args: (left) => [left, left] });
  });
});

describe('map', () => {
  it('goes through 1,000,000 items with no more outstanding than it may', async () => {
    const told = { pulled: 0, closed: false };
    let [taken, most, sum] = [0, 0, 0];
    for await (const result of increment.map(upTo(1_000_000, told), { concurrency: 100 })) {
      taken += 1;
      most = Math.max(most, told.pulled - taken, lifecycle.engine.current.length);
      sum += result;
    }
    expect({ taken, sum, closed: told.closed }).toEqual({
      taken: 1_000_000,
      sum: 500_001_500_000,
      closed: true,
    });
    expect(most).toBe(100);
  });

  it('calls nothing before the first result is asked for, and waits for its results to be taken', async () => {
    const told = { pulled: 0, closed: false };
    const results = gated.map(upTo(9, told), { concurrency: 3 });
    await settle();
    expect(told.pulled).toBe(0);
    const first = results.next();
    expect([...gates.keys()]).toEqual([1, 2, 3]);
    for (const n of [3, 2, 1]) open(n);
    expect(await first).toEqual({ done: false, value: 1 });
    await settle();
    expect([...gates.keys()]).toEqual([4]);
    expect(await results.next()).toEqual({ done: false, value: 2 });
    await results.return?.();
    expect(told).toEqual({ pulled: 5, closed: true });
    expect(lifecycle.engine.current).toEqual([]);
  });

  it('gives results as they come, when they need not be ordered', async () => {
    const results = gated.map([1, 2, 3], { ordered: false });
    const first = results.next();
    open(2);
    expect(await first).toEqual({ done: false, value: 2 });
    open(3);
    open(1);
    expect([(await results.next()).value, (await results.next()).value]).toEqual([3, 1]);
    expect(await results.next()).toEqual({ done: true, value: undefined });
  });

  it('passes on what its items throw, and cancels the calls', async () => {
    async function* source(): AsyncGenerator<number> {
      yield 1;
      throw new RangeError('no more items');
    }
    await expect(gated.map(source()).next()).rejects.toThrow('no more items');
    expect(gates.size).toBe(0);
    expect(lifecycle.engine.current).toEqual([]);
  });

  it('is cancelled by its signal, also while it waits for an item', async () => {
    const controller = new AbortController();
    const never: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }),
    };
    const waiting = increment.map(never, { signal: controller.signal }).next();
    const calling = gated.map([1], { signal: controller.signal, settled: true }).next();
    controller.abort('enough');
    for (const result of [waiting, calling])
      await expect(result).rejects.toMatchObject({ code: 'RUN_CANCELLED', cause: 'enough' });
    expect(gates.size).toBe(0);
    await expect(gated.with({ signal: controller.signal }).map([2]).next()).rejects.toMatchObject({
      code: 'RUN_CANCELLED',
    });
  });

  it('fails with what makes the arguments, and with what they can not carry', async () => {
    const args = (): never => {
      throw new TypeError('no arguments');
    };
    await expect(join.map(['a'], { args }).next()).rejects.toThrow('no arguments');
    await expect(increment.map([(() => 1) as never]).next()).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
    });
  });

  it('calls in the lifecycle and the run that it was made in', async () => {
    await using other = await Lifecycle.init({ project: 'other', name: 'other' });
    const results = other.run(() => gated.map([1]));
    const first = results.next();
    expect(other.engine.current).toHaveLength(1);
    open(1);
    await first;
  });

  it.each([
    ['nothing to go through', () => increment.map(7 as never)],
    ['no calls at all', () => increment.map([], { concurrency: 0 })],
    ['half a call', () => increment.map([], { concurrency: 1.5 })],
    ['calls without a limit', () => increment.map([], { concurrency: Number.POSITIVE_INFINITY })],
    ['an order that is no flag', () => increment.map([], { ordered: 'yes' as never })],
    ['a form that is no flag', () => increment.map([], { settled: 1 as never })],
    ['arguments that are no function', () => join.map(['a'], { args: [1] as never })],
    ['options of a call that are none', () => increment.map([], { timeoutMs: -1 })],
  ])('refuses %s at once', (_, map) => {
    expect(map).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
