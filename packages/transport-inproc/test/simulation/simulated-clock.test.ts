import { AsyncLocalStorage } from 'node:async_hooks';
import { SimulatedClock } from '@routine-engine/transport-inproc/simulation';
import { describe, expect, it } from 'vitest';

describe('virtual time', () => {
  it('passes from one event to the next, in the order of time and of scheduling', async () => {
    const clock = new SimulatedClock();
    const happened: [string, number][] = [];
    const happens = (name: string) => (): void => void happened.push([name, clock.monotonic()]);
    clock.after(86_400_000, happens('a day later'));
    clock.after(5, happens('first of two'));
    clock.after(5, happens('second of two'));
    clock.nextTurn(happens('next turn'));
    expect(await clock.run()).toBe(true);
    expect(happened).toEqual([
      ['next turn', 0],
      ['first of two', 5],
      ['second of two', 5],
      ['a day later', 86_400_000],
    ]);
  });

  it('lets promises do all they have to do between two events', async () => {
    const clock = new SimulatedClock();
    const order: string[] = [];
    clock.after(1, () => {
      void (async () => {
        for (let step = 0; step < 1_000; step += 1) await Promise.resolve();
        order.push('promises');
      })();
    });
    clock.after(1, () => void order.push('second event'));
    await clock.run();
    expect(order).toEqual(['promises', 'second event']);
  });

  it('stops at the time asked for, and goes on from there', async () => {
    const clock = new SimulatedClock();
    let fired = 0;
    clock.after(10, () => (fired += 1));
    await clock.advance(9.5);
    expect([fired, clock.monotonic()]).toEqual([0, 9.5]);
    await clock.advance(0.5);
    expect([fired, clock.monotonic()]).toEqual([1, 10]);
  });

  it('runs until a condition holds, and says when it never did', async () => {
    const clock = new SimulatedClock();
    let count = 0;
    const again = (): void => void clock.after(1, () => ((count += 1), again()));
    again();
    expect(await clock.run({ until: () => count === 3 })).toBe(true);
    expect(count).toBe(3);
    expect(await clock.run({ until: () => count < 0, forMs: 10 })).toBe(false);
    await expect(clock.run({ mostEvents: 5 })).rejects.toThrow('More than 5 events');
  });

  it('never fires a timer that was cancelled', async () => {
    const clock = new SimulatedClock();
    const process = clock.process('node');
    let fired = 0;
    const timer = process.after(1, () => (fired += 1));
    expect(process.timers).toBe(1);
    timer.cancel();
    expect(process.timers).toBe(0);
    await clock.run();
    expect(fired).toBe(0);
  });

  it('fires a timer in the async context that set it', async () => {
    const clock = new SimulatedClock();
    const storage = new AsyncLocalStorage<string>();
    let seen: string | undefined;
    storage.run('inside', () => clock.after(1, () => (seen = storage.getStore())));
    await clock.run();
    expect(seen).toBe('inside');
  });

  it('lets wall clocks jump either way without touching monotonic time or timers', async () => {
    const clock = new SimulatedClock({ startAt: 1_000_000 });
    const [one, other] = [clock.process('one'), clock.process('other')];
    const fired: number[] = [];
    one.after(100, () => fired.push(one.monotonic()));
    one.jump(-500_000);
    clock.jump(1_000);
    await clock.advance(100);
    expect(fired).toEqual([100]);
    expect([clock.now(), one.now(), other.now()]).toEqual([1_001_100, 501_100, 1_001_100]);
  });

  it('counts the monotonic time of a process from its beginning', async () => {
    const clock = new SimulatedClock();
    await clock.advance(5_000);
    expect(clock.process('late').monotonic()).toBe(0);
  });
});

describe('a simulated process', () => {
  it('that is frozen catches up all at once when it thaws, in order', async () => {
    const clock = new SimulatedClock();
    const process = clock.process('node');
    const happened: string[] = [];
    for (const ms of [10, 20, 30]) process.after(ms, () => happened.push(`${ms} at ${process.monotonic()}`));
    await clock.advance(10);
    process.freeze();
    await clock.advance(90);
    expect(happened).toEqual(['10 at 10']);
    process.thaw();
    await clock.advance(0);
    expect(happened).toEqual(['10 at 10', '20 at 100', '30 at 100']);
  });

  it('that is dead does nothing any more, also not what it was frozen in', async () => {
    const clock = new SimulatedClock();
    const process = clock.process('node');
    let happened = 0;
    process.after(1, () => (happened += 1));
    process.after(10, () => (happened += 1));
    process.freeze();
    await clock.advance(5);
    process.kill();
    process.thaw();
    expect(await clock.run()).toBe(true);
    expect([happened, process.timers, process.state]).toEqual([0, 0, 'dead']);
  });
});

describe('the trace of a clock', () => {
  it('tells all that happens, in order', async () => {
    const lines: string[] = [];
    const clock = new SimulatedClock({ trace: (line) => lines.push(line) });
    const process = clock.process('node');
    process.after(3, () => clock.note('a note'));
    await clock.run();
    process.freeze();
    process.kill();
    expect(lines).toEqual(['3 node 1', '3 a note', '3 node freezes', '3 node dies']);
  });
});
