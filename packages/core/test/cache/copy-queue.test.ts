import { describe, expect, it } from 'vitest';
import { CopyQueue } from '../../src/cache/copy-queue.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.ts';
import { gate, until } from './tiers-of-memory.ts';

const queueOf = (atOnce: number, most: number, attempts = 1): CopyQueue =>
  new CopyQueue({ clock: systemClock, atOnce, most, attempts });
const never = (error: unknown): never => {
  throw error;
};

describe('a queue of copies', () => {
  it('makes a few at once, in the order in which they came', async () => {
    const queue = queueOf(2, 100);
    const begun: string[] = [];
    const gates = Array.from({ length: 4 }, gate);
    for (const [at, { passed }] of gates.entries()) {
      const run = (): Promise<void> => {
        begun.push(String(at));
        return passed;
      };
      queue.add(String(at), { run, failed: never });
    }
    expect(begun).toEqual(['0', '1']);
    gates[1]?.open();
    await queue.settled('1');
    await until(() => begun.length === 3);
    expect(begun).toEqual(['0', '1', '2']);
    for (const { open } of gates) open();
    await queue.drain();
    expect(begun).toEqual(['0', '1', '2', '3']);
  });

  it('makes one copy of each id at a time', async () => {
    const queue = queueOf(4, 100);
    let runs = 0;
    const { passed, open } = gate();
    const run = (): Promise<void> => {
      runs += 1;
      return passed;
    };
    queue.add('a', { run, failed: never });
    queue.add('a', { run, failed: never });
    open();
    await queue.settled('a');
    queue.add('a', { run, failed: never });
    await queue.drain();
    expect(runs).toBe(2);
  });

  it('forgets a copy that is cancelled before it begins, and ends one that has begun', async () => {
    const queue = queueOf(1, 100);
    const runs: string[] = [];
    const copy = (id: string) => ({
      run: (signal: AbortSignal) => {
        runs.push(id);
        return new Promise<void>((_, reject) =>
          signal.addEventListener('abort', () => {
            runs.push(`${id} ended`);
            reject(signal.reason as Error);
          }),
        );
      },
      failed: never,
    });
    queue.add('a', copy('a'));
    queue.add('b', copy('b'));
    await queue.cancel('b');
    await queue.cancel('a');
    await queue.cancel('c');
    await queue.drain();
    expect(runs).toEqual(['a', 'a ended']);
  });

  it('says when it is full, and when it has room again', async () => {
    const queue = queueOf(1, 2);
    const { passed, open } = gate();
    for (const id of ['a', 'b']) queue.add(id, { run: () => passed, failed: never });
    expect(queue.isFull).toBe(true);
    const room = queue.room();
    open();
    await room;
    expect(queue.isFull).toBe(false);
  });

  it('tries only once while everything fails, and as often as before when something got through', async () => {
    const attempts = new Map<string, number>();
    const queue = queueOf(1, 100, 2);
    let isDown = true;
    const add = (id: string): void =>
      queue.add(id, {
        run: async () => {
          attempts.set(id, (attempts.get(id) ?? 0) + 1);
          if (isDown) throw new Error('down');
        },
        failed: () => {},
      });
    for (const id of ['a', 'b', 'c']) {
      add(id);
      await queue.settled(id);
    }
    isDown = false;
    add('d');
    await queue.settled('d');
    isDown = true;
    add('e');
    await queue.settled('e');
    expect(Object.fromEntries(attempts)).toEqual({ a: 2, b: 1, c: 1, d: 1, e: 2 });
  });

  it('takes nothing more once it ends', async () => {
    const queue = queueOf(1, 100);
    await queue.stop();
    let runs = 0;
    const run = async (): Promise<void> => void (runs += 1);
    queue.add('a', { run, failed: never });
    await queue.settled('a');
    expect(runs).toBe(0);
  });
});
