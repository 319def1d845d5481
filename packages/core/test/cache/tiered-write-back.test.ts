import { describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import type { Clock } from '../../src/ports/clock.ts';
import { MemoryPlace } from '../compliance/memory-place.ts';
import { bytesOf, gate, inChunks, keyOf, memory, resultOf, tieredOf, until } from './tiers-of-memory.ts';

const KEY = keyOf(1);
const down = new RoutineEngineError('STORE_UNREACHABLE', 'The network is gone');

/** A clock whose timers fire when they are told to. */
function handClock(): { clock: Clock; waits: number[]; fire: () => void } {
  const waits: number[] = [];
  let timers: (() => void)[] = [];
  const clock: Clock = {
    now: () => 0,
    monotonic: () => 0,
    nextTurn: (callback) => void setImmediate(callback),
    after: (milliseconds, callback) => {
      waits.push(milliseconds);
      timers.push(callback);
      return { cancel: () => (timers = timers.filter((timer) => timer !== callback)) };
    },
  };
  return { clock, waits, fire: () => timers.splice(0).forEach((timer) => timer()) };
}

/** A place whose put fails as often as that, and counts how often it was asked. */
function failing(times: number): { place: MemoryPlace; puts: () => number } {
  let puts = 0;
  const place = new MemoryPlace((sound) => ({
    put: async (...args) => {
      puts += 1;
      if (puts <= times) throw down;
      return sound.put(...args);
    },
  }));
  return { place, puts: () => puts };
}

describe('a tiered store that writes back', () => {
  it('has kept a result when the fastest durable tier has it, and the slower ones get it later', async () => {
    const { passed, open } = gate();
    const near = new MemoryPlace();
    const far = new MemoryPlace((sound) => ({ put: (...args) => passed.then(() => sound.put(...args)) }));
    const fast = memory();
    const { store } = tieredOf([fast, await near.open(), await far.open()], 'back');
    expect(await store.put(KEY, resultOf(100))).toBe('stored');
    expect(await near.results.has(KEY)).toBe(true);
    expect(await fast.has(KEY)).toBe(true);
    expect(await far.results.has(KEY)).toBe(false);
    open();
    await until(() => far.results.has(KEY));
  });

  it('copies a result after its blobs, and blobs that came in chunks', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([memory(), await near.open(), await far.open()], 'back');
    const { blob } = (await store.blobs?.put(inChunks(bytesOf(50_000)))) ?? {};
    const blobs = [{ part: 1, digest: blob?.digest ?? '', byteLength: 50_000 }];
    await store.put(KEY, resultOf(10, { blobs }));
    await until(() => far.results.has(KEY));
    expect(await far.blobs.get(blob?.digest ?? '')).toBeDefined();
  });

  it('has copied everything when it has closed', async () => {
    const far = new MemoryPlace((sound) => ({
      put: async (...args) => {
        for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
        return sound.put(...args);
      },
    }));
    const { store } = tieredOf([await new MemoryPlace().open(), await far.open()], 'back');
    for (let at = 0; at < 100; at += 1) await store.put(keyOf(at), resultOf(100));
    await store.close();
    for (let at = 0; at < 100; at += 1) expect(await far.results.has(keyOf(at))).toBe(true);
  });

  it('tries again what failed, later each time, and then no more', async () => {
    const { clock, waits, fire } = handClock();
    const { place, puts } = failing(Infinity);
    const { store, events } = tieredOf([await new MemoryPlace().open(), await place.open()], 'back', clock);
    await store.put(KEY, resultOf(100));
    for (const pause of [1, 2, 3, 4]) {
      await until(() => waits.length === pause);
      fire();
    }
    await until(() => events.length > 0);
    expect(waits).toEqual([200, 400, 800, 1600]);
    expect(puts()).toBe(5);
    expect(events).toMatchObject([{ type: 'store.failed', store: 'place', key: KEY, operation: 'put' }]);
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
  });

  it('gets through when a tier comes back', async () => {
    const { clock, waits, fire } = handClock();
    const { place } = failing(2);
    const { store, events } = tieredOf([await new MemoryPlace().open(), await place.open()], 'back', clock);
    await store.put(KEY, resultOf(100));
    for (const pause of [1, 2]) {
      await until(() => waits.length === pause);
      fire();
    }
    await until(() => place.results.has(KEY));
    expect(events).toEqual([]);
  });

  it('closes without waiting for pauses when a tier is down, having tried everything', async () => {
    const { clock } = handClock();
    const { place } = failing(Infinity);
    const { store, events } = tieredOf([await new MemoryPlace().open(), await place.open()], 'back', clock);
    for (let at = 0; at < 30; at += 1) await store.put(keyOf(at), resultOf(100));
    await store.close();
    expect(new Set(events.map(({ key }) => key)).size).toBe(30);
  });

  it('holds no more than a number of results that are on their way: a put waits then', async () => {
    const { passed, open } = gate();
    const far = new MemoryPlace((sound) => ({ put: (...args) => passed.then(() => sound.put(...args)) }));
    const { store } = tieredOf([await new MemoryPlace().open(), await far.open()], 'back');
    for (let at = 0; at < 1000; at += 1) await store.put(keyOf(at), resultOf(10));
    let kept = false;
    const put = store.put(keyOf(1000), resultOf(10)).then(() => (kept = true));
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(kept).toBe(false);
    open();
    await put;
    await until(() => far.results.has(keyOf(1000)));
  });

  it('brings nothing back that is deleted while it is on its way', async () => {
    const { passed, open } = gate();
    let begun = 0;
    const far = new MemoryPlace((sound) => ({
      put: async (...args) => {
        begun += 1;
        await passed;
        return sound.put(...args);
      },
    }));
    const near = new MemoryPlace();
    const { store } = tieredOf([await near.open(), await far.open()], 'back');
    await store.put(KEY, resultOf(100));
    await until(() => begun > 0);
    const deleting = store.delete(KEY);
    open();
    expect(await deleting).toBe(true);
    expect(await store.has(KEY)).toBe(false);
    expect(await far.results.has(KEY)).toBe(false);
  });

  it('pins in slower tiers what is on its way to them', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([await near.open(), await far.open()], 'back');
    await store.put(KEY, resultOf(100));
    expect(await store.pin(KEY, true)).toBe(true);
    for (const place of [near, far])
      for await (const { pinned } of place.results.list()) expect(pinned).toBe(true);
    expect(await far.results.has(KEY)).toBe(true);
  });

  it('asks slower tiers when the one that keeps is down, and says so when none has it', async () => {
    let isDown = false;
    const near = new MemoryPlace((sound) => ({
      get: async (...args) => {
        if (isDown) throw down;
        return sound.get(...args);
      },
    }));
    const far = new MemoryPlace();
    const { store } = tieredOf([await near.open(), await far.open()], 'back');
    await far.results.put(KEY, resultOf(100));
    isDown = true;
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    // It may be there, and nowhere else yet.
    await expect(store.get(keyOf(2))).rejects.toBe(down);
  });

  it('is another store for nodes with another tier that keeps', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([memory(), await near.open(), await far.open()], 'back');
    expect(store.identity).toBe(`tiered:place:${near.id}+place:${far.id}`);
  });
});
