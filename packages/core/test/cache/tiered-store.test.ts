import { describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import { MemoryPlace } from '../compliance/memory-place.ts';
import { bytesOf, gate, keyOf, memory, resultOf, streamed, tieredOf, until } from './tiers-of-memory.ts';

const KEY = keyOf(1);
const down = new RoutineEngineError('STORE_UNREACHABLE', 'The disk is gone');
const refuse = async (): Promise<never> => {
  throw down;
};
/** A place whose stores refuse everything while `isDown`. */
function fragile(): { place: MemoryPlace; fault: { isDown: boolean; asked: number } } {
  const fault = { isDown: false, asked: 0 };
  const place = new MemoryPlace((sound) => ({
    get: (...args) => (fault.isDown ? refuse() : sound.get(...args)),
    has: (...args) => (fault.isDown ? refuse() : sound.has(...args)),
    delete: (...args) => (fault.isDown ? refuse() : sound.delete(...args)),
    put: (...args) => {
      fault.asked += 1;
      return fault.isDown ? refuse() : sound.put(...args);
    },
  }));
  return { place, fault };
}

describe('a tiered store', () => {
  it('answers from the fastest tier that has a result, and copies it to the faster ones', async () => {
    const places = [new MemoryPlace(), new MemoryPlace()] as const;
    const fast = memory();
    const { store, events } = tieredOf([fast, await places[0].open(), await places[1].open()]);
    await places[1].results.put(KEY, resultOf(100));
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    await until(async () => (await fast.has(KEY)) && (await places[0].results.has(KEY)));
    await places[1].results.delete(KEY);
    await places[0].results.delete(KEY);
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    expect(events).toEqual([]);
  });

  it('copies a result that comes in chunks by reading it once more, so that whoever asked has the first reading', async () => {
    const slow = new MemoryPlace((sound) => ({
      get: async (...args) => {
        const found = await sound.get(...args);
        return found && streamed(found);
      },
    }));
    const fast = memory();
    const { store } = tieredOf([fast, await slow.open()]);
    await slow.results.put(KEY, resultOf(100));
    const found = await store.get(KEY);
    await until(() => fast.has(KEY));
    let read = 0;
    for await (const chunk of found?.body.chunks() ?? []) read += chunk.byteLength;
    expect(read).toBe(100);
    expect((await fast.get(KEY))?.body.parts?.[0]).toEqual(bytesOf(100, 100));
  });

  it('answers at once though a faster tier takes no copy, or takes it for ever', async () => {
    const { passed, open } = gate();
    const stuck = new MemoryPlace((sound) => ({ put: (...args) => passed.then(() => sound.put(...args)) }));
    const slow = new MemoryPlace();
    const { store } = tieredOf([await stuck.open(), await slow.open()]);
    await slow.results.put(KEY, resultOf(100));
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    open();
    await until(() => stuck.results.has(KEY));
  });

  it('tells when a copy fails, and answers all the same', async () => {
    const small = memory({ maxBytes: 2000 });
    const slow = new MemoryPlace();
    const { store, events } = tieredOf([small, await slow.open()]);
    await slow.results.put(KEY, resultOf(5000));
    expect((await store.get(KEY))?.body.byteLength).toBe(5000);
    await until(() => events.length > 0);
    expect(events).toMatchObject([
      { type: 'store.failed', store: 'memory', key: KEY, operation: 'put', error: { code: 'STORE_FULL' } },
    ]);
  });

  it('goes on with slower tiers while a faster one is down, and tells', async () => {
    const { place, fault } = fragile();
    const { store, events } = tieredOf([await place.open(), await new MemoryPlace().open()]);
    fault.isDown = true;
    expect(await store.put(KEY, resultOf(100))).toBe('stored');
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    expect(await store.has(KEY)).toBe(true);
    expect(await store.get(keyOf(2))).toBeUndefined();
    const told = events.map((event) => 'operation' in event && event.operation);
    expect(told.slice(0, 2)).toEqual(['put', 'get']);
    fault.isDown = false;
    await store.get(KEY);
    await until(() => place.results.has(KEY));
  });

  it('never takes a last tier that is down for one that has nothing, and keeps nothing then', async () => {
    const { place, fault } = fragile();
    const fast = memory();
    const { store } = tieredOf([fast, await place.open()]);
    await store.put(KEY, resultOf(100));
    fault.isDown = true;
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
    await expect(store.get(keyOf(2))).rejects.toBe(down);
    await expect(store.has(keyOf(2))).rejects.toBe(down);
    await expect(store.put(keyOf(2), resultOf(100))).rejects.toBe(down);
    await expect(store.delete(KEY)).rejects.toBe(down);
    expect(await fast.has(keyOf(2))).toBe(false);
    expect(await fast.has(KEY)).toBe(false);
  });

  it('gives everybody the result that was first in the last tier, and not its own', async () => {
    const place = new MemoryPlace();
    const fast = memory();
    const { store } = tieredOf([fast, await place.open()]);
    await place.results.put(KEY, resultOf(100));
    expect(await store.put(KEY, resultOf(200))).toBe('present');
    expect((await store.get(KEY))?.body.byteLength).toBe(100);
  });

  it('puts a result in place of one that another node has deleted and a faster tier still has', async () => {
    const place = new MemoryPlace();
    const { store } = tieredOf([memory(), await place.open()]);
    await store.put(KEY, resultOf(100));
    await place.results.delete(KEY);
    expect(await store.put(KEY, resultOf(200))).toBe('stored');
    expect((await store.get(KEY))?.body.byteLength).toBe(200);
  });

  it('has nothing of a result that is deleted while it is copied', async () => {
    const { passed, open } = gate();
    let begun = 0;
    const fast = new MemoryPlace((sound) => ({
      put: async (...args) => {
        begun += 1;
        await passed;
        return sound.put(...args);
      },
    }));
    const slow = new MemoryPlace();
    const { store } = tieredOf([await fast.open(), await slow.open()]);
    await slow.results.put(KEY, resultOf(100));
    await store.get(KEY);
    await until(() => begun > 0);
    const deleting = store.delete(KEY);
    open();
    expect(await deleting).toBe(true);
    expect(await store.get(KEY)).toBeUndefined();
    expect(await fast.results.has(KEY)).toBe(false);
  });

  it('copies a result only with its blobs to a tier that others may open alone', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const fast = memory();
    const { store } = tieredOf([fast, await near.open(), await far.open()]);
    const { blob } = await far.blobs.put(bytesOf(50_000));
    const blobs = [{ part: 1, digest: blob.digest, byteLength: blob.byteLength }];
    await far.results.put(KEY, resultOf(10, { blobs }));
    await far.results.put(keyOf(2), resultOf(10, { blobs: [{ ...blobs[0]!, digest: 'd'.repeat(64) }] }));
    await store.get(KEY);
    await until(() => near.results.has(KEY));
    expect(await near.blobs.get(blob.digest)).toBeDefined();
    const { store: other, events } = tieredOf([await near.open(), await far.open()]);
    await other.get(keyOf(2));
    await until(() => events.length > 0);
    expect(events).toMatchObject([{ type: 'store.failed', error: { code: 'CONTENT_MISSING' } }]);
    expect(await near.results.has(keyOf(2))).toBe(false);
  });

  it('keeps a result that names blobs out of a shared tier that keeps none', async () => {
    const bare = new MemoryPlace(() => ({ blobs: undefined as never }));
    const { store } = tieredOf([await bare.open(), await new MemoryPlace().open()]);
    const { blob } = (await store.blobs?.put(bytesOf(1000))) ?? {};
    const blobs = [{ part: 1, digest: blob?.digest ?? '', byteLength: 1000 }];
    await store.put(KEY, resultOf(10, { blobs }));
    expect((await store.get(KEY))?.metadata.blobs).toEqual(blobs);
    expect(await bare.results.has(KEY)).toBe(false);
    await store.put(keyOf(2), resultOf(10));
    expect(await bare.results.has(keyOf(2))).toBe(true);
  });

  it('has blobs only if the last tier has, since then it has all', async () => {
    const bare = new MemoryPlace(() => ({ blobs: undefined as never }));
    const { store } = tieredOf([await new MemoryPlace().open(), await bare.open()]);
    expect(store.blobs).toBeUndefined();
  });

  it('lists what any tier has, once, and as pinned when the last one says so', async () => {
    const place = new MemoryPlace();
    const fast = memory();
    const { store } = tieredOf([fast, await place.open()]);
    await store.put(keyOf(1), resultOf(100));
    await fast.put(keyOf(2), resultOf(100));
    await place.results.put(keyOf(3), resultOf(100));
    await place.results.pin(keyOf(1), true);
    const entries: string[] = [];
    for await (const { key, pinned } of store.list()) entries.push(`${key} ${pinned}`);
    expect(entries.toSorted()).toEqual([`${keyOf(1)} true`, `${keyOf(2)} false`, `${keyOf(3)} false`]);
  });

  it('has the leases of the slowest tier that has some', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([memory(), await near.open(), await far.open()]);
    expect(await store.leases?.acquire(KEY, { holder: 'client', ttlMs: 1000 })).toBeDefined();
    expect(far.leases.held.has(KEY)).toBe(true);
    expect(near.leases.held.has(KEY)).toBe(false);
  });

  it('has one identity for all who share its last tier, whatever else they have', async () => {
    const far = new MemoryPlace();
    const { store } = tieredOf([memory(), await far.open()]);
    const { store: other } = tieredOf([memory(), await new MemoryPlace().open(), await far.open()]);
    expect(store.identity).toBe(`tiered:place:${far.id}`);
    expect(other.identity).toBe(store.identity);
    expect(other.capabilities).toEqual({ durable: true, shared: true });
  });

  it('merges what its tiers tell, and closes all of them, also when one fails', async () => {
    const failing = new MemoryPlace((sound) => ({ close: () => sound.close().then(refuse) }));
    const far = new MemoryPlace();
    const { store, events } = tieredOf([memory({ maxBytes: 1500 }), await failing.open(), await far.open()]);
    await store.put(keyOf(1), resultOf(100));
    await store.put(keyOf(2), resultOf(100));
    expect(events).toMatchObject([{ type: 'store.evicted', key: keyOf(1), store: 'memory' }]);
    let completed = false;
    store.events$.subscribe({ complete: () => (completed = true) });
    const closing = store.close();
    await expect(closing).rejects.toBe(down);
    expect(completed).toBe(true);
    await expect(store.get(KEY)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
    // So that the end of the test may close it once more.
    store.close = async () => {};
  });

  it('gives up copies to faster tiers when it closes', async () => {
    const fast = new MemoryPlace((sound) => ({
      put: (_key, _result, options) =>
        new Promise((_, reject) => {
          options?.signal?.addEventListener('abort', () => reject(options.signal?.reason as Error));
          void sound;
        }),
    }));
    const slow = new MemoryPlace();
    const { store, events } = tieredOf([await fast.open(), await slow.open()]);
    await slow.results.put(KEY, resultOf(100));
    await store.get(KEY);
    await store.close();
    expect(events).toEqual([]);
  });

  it('is refused without a tier', () => {
    expect(() => tieredOf([])).toThrow(expect.objectContaining({ code: 'OPTION_INVALID' }));
  });
});
