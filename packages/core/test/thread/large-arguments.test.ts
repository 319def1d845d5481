import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Encoded } from '../../src/model/encoded.js';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import type { Outcome } from '../../src/model/outcome.js';
import type { Clock } from '../../src/ports/clock.js';
import { copyInTurns, isLongToCopy } from '../../src/thread/copy-in-turns.js';
import type { ThreadExecutor } from '../../src/thread/thread-executor.js';
import {
  TestHost,
  callOf,
  codec,
  decoded,
  shared,
  startThread,
  task,
  valueOf,
  workflow,
} from './run-host.ts';

const MIB = 1024 * 1024;
const LARGE = (32 * MIB) / Float64Array.BYTES_PER_ELEMENT;
let thread: ThreadExecutor;

beforeAll(async () => {
  thread = await startThread();
});
afterAll(() => thread.close());

const ones = (length: number): Float64Array => new Float64Array(length).fill(1);
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function run(args: Encoded, host = new TestHost()): Promise<Outcome> {
  return thread.execute(callOf(task('overwrites'), args), host);
}

describe('arguments that others may need too', () => {
  it('are still there after a run that changed its own', async () => {
    for (const length of [10, 20_000, LARGE]) {
      const numbers = ones(length);
      expect(decoded(await run(codec.encode([numbers])))).toMatchObject({ sum: length });
      expect(numbers.every((number) => number === 1)).toBe(true);
    }
  });

  it('of 32 MiB let other work of the host go on while they are copied', async () => {
    let [turns, isDone] = [0, false];
    const outcome = run(codec.encode([ones(LARGE)])).then((done) => {
      isDone = true;
      return done;
    });
    const whenItStarted = new Promise<number>((resolve) => {
      const count = (): void => {
        turns += 1;
        if (isDone) resolve(turns);
        else setImmediate(count);
      };
      count();
    });
    expect(decoded(await outcome)).toMatchObject({ sum: LARGE });
    expect(await whenItStarted).toBeGreaterThanOrEqual(16);
  });

  it('are given up at once when the run is cancelled while they are copied, and the thread goes on', async () => {
    const host = new TestHost();
    const outcome = run(codec.encode([ones(LARGE)]), host);
    await turn();
    host.cancel.cancel(new RoutineEngineError('RUN_CANCELLED', 'not wanted'));
    expect(await outcome).toMatchObject({ status: 'CANCELLED', error: { message: 'not wanted' } });
    expect(decoded(await run(codec.encode([ones(5)])))).toMatchObject({ sum: 5 });
  });
});

describe('arguments that nobody else holds', () => {
  it('go to the thread without a copy', async () => {
    const numbers = ones(LARGE);
    const outcome = run({ ...codec.encode([numbers]), isOwn: true });
    await turn();
    await turn();
    expect(numbers.byteLength).toBe(0);
    expect(decoded(await outcome)).toMatchObject({ sum: LARGE });
  });
});

describe('a large result of a sub-run', () => {
  const answering = async (value: Encoded): Promise<unknown> => {
    const host = new TestHost({
      request: async () => ({ status: 'DONE', value, durationMs: 1 }),
    });
    return codec.decode(valueOf(await thread.execute(callOf(workflow('sums-of-two'), []), host)));
  };

  it('that others hold too comes as a copy', async () => {
    const numbers = ones(LARGE);
    expect(await answering(codec.encode(numbers))).toEqual([LARGE, LARGE]);
    expect(numbers[0]).toBe(1);
  });

  it('in shared memory comes without one', async () => {
    expect(isLongToCopy(shared(codec.encode(ones(LARGE))))).toBe(false);
    expect(await answering(shared(codec.encode(ones(LARGE))))).toEqual([LARGE, LARGE]);
  });
});

it('a copy in turns takes as many turns as it has slices of 2 MiB, and is equal', async () => {
  let turns = 0;
  const clock: Clock = {
    ...systemClock,
    nextTurn: (callback) => {
      turns += 1;
      queueMicrotask(callback);
    },
  };
  const value = codec.encode([ones(LARGE), 'text']);
  const copy = await copyInTurns(value, clock);
  expect(turns).toBe(15);
  expect(copy.buffers[0]?.buffer).not.toBe(value.buffers[0]?.buffer);
  expect(Buffer.compare(copy.buffers[0] ?? new Uint8Array(0), value.buffers[0] ?? new Uint8Array(0))).toBe(0);
});
