import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it, onTestFinished } from 'vitest';
import { collectGarbage, type GarbageOptions } from '../../src/cache/collect-garbage.ts';
import type { ResultStore } from '../../src/ports/result-store.ts';
import { MemoryPlace, type PlaceBreakage } from '../compliance/memory-place.ts';
import { bytesOf, gate, keyOf, memory, METADATA, resultOf, tieredOf } from './tiers-of-memory.ts';

const HOUR_MS = 3_600_000;
const BLOB_BYTES = 1000;

async function openPlace(breakage?: PlaceBreakage): Promise<{ place: MemoryPlace; store: ResultStore }> {
  const place = new MemoryPlace(breakage);
  const store = await place.open();
  onTestFinished(() => store.close());
  return { place, store };
}

/** Keeps a blob of 1000 bytes. @returns its digest. */
async function putBlob({ blobs }: ResultStore, value: number): Promise<string> {
  const kept = await blobs?.put(bytesOf(BLOB_BYTES, value));
  return kept?.blob.digest ?? '';
}

/** Keeps a result of 100 bytes that was computed in that second and names those blobs. */
function putResult(store: ResultStore, second: number, ...digests: string[]): Promise<unknown> {
  const blobs = digests.map((digest, part) => ({ part: part + 1, digest, byteLength: BLOB_BYTES }));
  const named = blobs.length > 0 ? { blobs } : {};
  return store.put(keyOf(second), resultOf(100, { createdAt: second * 1000, ...named }));
}

async function secondsIn(store: ResultStore): Promise<number[]> {
  const seconds: number[] = [];
  for await (const { metadata } of store.list()) seconds.push(metadata.createdAt / 1000);
  return seconds.toSorted((a, b) => a - b);
}

async function digestsIn({ blobs }: ResultStore): Promise<string[]> {
  const digests: string[] = [];
  for await (const { digest } of blobs?.list() ?? []) digests.push(digest);
  return digests.toSorted();
}

const collect = (place: MemoryPlace, store: ResultStore, options: GarbageOptions) =>
  collectGarbage(store, options, place.clock);

describe('collecting garbage', () => {
  it('deletes the oldest results until as many are left as are allowed', async () => {
    const { place, store } = await openPlace();
    for (const second of [3, 1, 5, 2, 4]) await putResult(store, second);
    const report = await collect(place, store, { maxItems: 2 });
    expect(await secondsIn(store)).toEqual([4, 5]);
    expect(report).toEqual({
      removed: { results: 3, resultBytes: 300, blobs: 0, blobBytes: 0 },
      kept: { results: 2, resultBytes: 200, blobs: 0, blobBytes: 0 },
      swept: { items: 0, byteLength: 0 },
    });
  });

  it('deletes the oldest results until their bytes fit, a blob that several name counted once', async () => {
    const { place, store } = await openPlace();
    const [shared, single] = [await putBlob(store, 1), await putBlob(store, 2)];
    await putResult(store, 1, single);
    await putResult(store, 2, shared);
    await putResult(store, 3, shared);
    place.now += 2 * HOUR_MS;
    // Just what the two newer ones take.
    const report = await collect(place, store, { maxBytes: 2 * 100 + BLOB_BYTES });
    expect(await secondsIn(store)).toEqual([2, 3]);
    expect(await digestsIn(store)).toEqual([shared]);
    expect(report.removed).toEqual({ results: 1, resultBytes: 100, blobs: 1, blobBytes: BLOB_BYTES });
    await collect(place, store, { maxBytes: 2 * 100 + BLOB_BYTES - 1 });
    expect(await secondsIn(store)).toEqual([3]);
    expect(await digestsIn(store)).toEqual([shared]);
  });

  it('has the store sweep up what writers that died have left, unless it is only to say what would go', async () => {
    const { place, store } = await openPlace();
    place.leaveLitter(700);
    place.leaveLitter(300);
    place.now += 48 * HOUR_MS;
    place.leaveLitter(1);
    const swept = { items: 2, byteLength: 1000 };
    expect(await collect(place, store, { dryRun: true })).toMatchObject({ swept });
    expect(await collect(place, store, {})).toMatchObject({ swept });
    expect(place.litter).toHaveLength(1);
    const withoutSweep = await openPlace(() => ({ sweep: undefined }) as never);
    expect(await collect(place, withoutSweep.store, {})).toMatchObject({
      swept: { items: 0, byteLength: 0 },
    });
  });

  it('deletes results that are older than allowed', async () => {
    const { place, store } = await openPlace();
    place.now = 10_000;
    for (const second of [1, 5, 9]) await putResult(store, second);
    await collect(place, store, { maxAgeMs: 5000 });
    expect(await secondsIn(store)).toEqual([5, 9]);
  });

  it('leaves pinned results and their blobs, however old and many, and counts them', async () => {
    const { place, store } = await openPlace();
    const [pinned, other] = [await putBlob(store, 1), await putBlob(store, 2)];
    await putResult(store, 1, pinned);
    await putResult(store, 2, other);
    await putResult(store, 3);
    await store.pin(keyOf(1), true);
    place.now += 2 * HOUR_MS;
    await collect(place, store, { maxItems: 2, maxAgeMs: 100 * 365 * 24 * HOUR_MS });
    expect(await secondsIn(store)).toEqual([1, 3]);
    await collect(place, store, { maxBytes: 0, maxAgeMs: 0, maxItems: 0 });
    expect(await secondsIn(store)).toEqual([1]);
    expect(await digestsIn(store)).toEqual([pinned]);
  });

  it('without any bound deletes only blobs that no result names', async () => {
    const { place, store } = await openPlace();
    const named = await putBlob(store, 1);
    await putBlob(store, 2);
    await putResult(store, 1, named);
    place.now += 2 * HOUR_MS;
    const report = await collect(place, store, {});
    expect(await digestsIn(store)).toEqual([named]);
    expect(report.removed).toEqual({ results: 0, resultBytes: 0, blobs: 1, blobBytes: BLOB_BYTES });
    expect(report.kept).toEqual({ results: 1, resultBytes: 100, blobs: 1, blobBytes: BLOB_BYTES });
  });

  it('leaves blobs alone that were put lately, also again', async () => {
    const { place, store } = await openPlace();
    const again = await putBlob(store, 1);
    await putBlob(store, 2);
    place.now += HOUR_MS + 1;
    await putBlob(store, 1);
    const late = await putBlob(store, 3);
    await collect(place, store, {});
    expect(await digestsIn(store)).toEqual([again, late].toSorted());
    place.now += 1000;
    await collect(place, store, { blobGraceMs: 999 });
    expect(await digestsIn(store)).toEqual([]);
  });

  it('takes only results of some routines, and leaves the blobs of the others', async () => {
    const { place, store } = await openPlace();
    const [shared, single] = [await putBlob(store, 1), await putBlob(store, 2)];
    const ofRoutine = (key: number, routineId: string, ...digests: string[]) => {
      const blobs = digests.map((digest, part) => ({ part, digest, byteLength: BLOB_BYTES }));
      return store.put(keyOf(key), resultOf(100, { routineId, blobs }));
    };
    await ofRoutine(1, 'tname:news:train:0.0.1', shared, single);
    await ofRoutine(2, 'tname:news:train:0.0.2');
    await ofRoutine(3, 'tname:news:test:0.0.1', shared);
    await ofRoutine(4, 'no id at all');
    place.now += 2 * HOUR_MS;
    const dropped = await collect(place, store, { routines: ['tname:train:0.0.1'], maxItems: 0 });
    expect(dropped.removed.results).toBe(1);
    expect(await digestsIn(store)).toEqual([shared]);
    expect((await collect(place, store, { routines: ['tname:train'], maxItems: 0 })).removed.results).toBe(1);
    expect(await store.has(keyOf(3))).toBe(true);
    expect(await store.has(keyOf(4))).toBe(true);
    await expect(collect(place, store, { routines: ['train'] })).rejects.toMatchObject({
      code: 'ROUTINE_ID_INVALID',
    });
  });

  it('says in a dry run what would go, and leaves it', async () => {
    const { place, store } = await openPlace();
    const blob = await putBlob(store, 1);
    await putResult(store, 1, blob);
    await putResult(store, 2);
    place.now += 2 * HOUR_MS;
    const dry = await collect(place, store, { maxItems: 1, dryRun: true });
    expect(await secondsIn(store)).toEqual([1, 2]);
    expect(await digestsIn(store)).toEqual([blob]);
    expect(await collect(place, store, { maxItems: 1 })).toEqual(dry);
    expect(dry.removed).toEqual({ results: 1, resultBytes: 100, blobs: 1, blobBytes: BLOB_BYTES });
  });

  it('ends with the reason of the signal, and the next one goes on with what is left', async () => {
    const controller = new AbortController();
    const reason = new Error('enough for today');
    let deletes = 0;
    const { place, store } = await openPlace((sound) => ({
      delete: (key) => {
        deletes += 1;
        if (deletes === 50) controller.abort(reason);
        return sound.delete(key);
      },
    }));
    for (let second = 0; second < 200; second += 1) await putResult(store, second);
    const { signal } = controller;
    await expect(collect(place, store, { maxItems: 10, signal })).rejects.toBe(reason);
    const left = await secondsIn(store);
    expect(left.length).toBeGreaterThan(100);
    // The oldest have gone, up to the few that were under way at once.
    expect(left.at(-1)).toBe(199);
    expect(left.length).toBeLessThanOrEqual(150);
    await collect(place, store, { maxItems: 10 });
    expect(await secondsIn(store)).toEqual([190, 191, 192, 193, 194, 195, 196, 197, 198, 199]);
  });

  it('rejects with what the store throws', async () => {
    const failure = new Error('the disk is gone');
    const { place, store } = await openPlace(() => ({ delete: () => Promise.reject(failure) }));
    await putResult(store, 1);
    await expect(collect(place, store, { maxItems: 0 })).rejects.toBe(failure);
  });

  it('harms nobody who gets and puts meanwhile', async () => {
    const { passed, open } = gate();
    const { place, store } = await openPlace((sound) => ({
      delete: (key) => passed.then(() => sound.delete(key)),
    }));
    const named = await putBlob(store, 1);
    const both = await putBlob(store, 2);
    for (let second = 0; second < 100; second += 1) await putResult(store, second, named);
    place.now += 2 * HOUR_MS;
    const collecting = collect(place, store, { maxItems: 0 });
    const reading = Array.from({ length: 100 }, (_, second) => store.get(keyOf(second)));
    for (const found of await Promise.all(reading)) expect(found?.body.byteLength).toBe(100);
    // Its blob was there before, and is old: putting it again keeps it.
    await putBlob(store, 2);
    await putResult(store, 1000, both);
    open();
    await collecting;
    expect(await secondsIn(store)).toEqual([1000]);
    expect(await digestsIn(store)).toEqual([both]);
    for (let second = 0; second < 100; second += 1) expect(await store.get(keyOf(second))).toBeUndefined();
  });

  it('clears every tier of a tiered store', async () => {
    const place = new MemoryPlace();
    const fast = memory();
    const { store } = tieredOf([fast, await place.open()]);
    for (const second of [1, 2, 3]) await putResult(store, second);
    await putBlob(store, 1);
    place.now += 2 * HOUR_MS;
    const report = await collect(place, store, { maxItems: 1 });
    expect(report.removed).toEqual({ results: 2, resultBytes: 200, blobs: 1, blobBytes: BLOB_BYTES });
    expect(await secondsIn(fast)).toEqual([3]);
    expect(await secondsIn(place.results)).toEqual([3]);
  });

  it('weighs 100,000 results in 12 MB, the list of their keys included', async () => {
    const store = memory({ maxBytes: 1024 * 1024 * 1024 });
    onTestFinished(() => store.close());
    const { body } = resultOf(0);
    for (let at = 0; at < 100_000; at += 1)
      await store.put(keyOf(at), { metadata: { ...METADATA, createdAt: (at * 7919) % 100_000 }, body });
    const before = memoryUsed();
    let most = 0;
    let deletes = 0;
    const watched: ResultStore = Object.assign(Object.create(store) as ResultStore, {
      get: store.get.bind(store),
      delete: async (key: string) => {
        if ((deletes += 1) === 1) most = memoryUsed();
        return store.delete(key);
      },
      list: () => store.list(),
    });
    const report = await collectGarbage(watched, { maxItems: 100 }, { now: () => 0 });
    expect(report.removed.results).toBe(99_900);
    expect((await secondsIn(store)).every((second) => second * 1000 >= 99_900)).toBe(true);
    expect(most - before).toBeLessThan(12 * 1024 * 1024);
  });

  it.each([['maxBytes'], ['maxItems'], ['maxAgeMs'], ['blobGraceMs']])(
    'refuses a %s that is no number from 0 on',
    async (name) => {
      const { place, store } = await openPlace();
      for (const value of [-1, Number.NaN])
        await expect(collect(place, store, { [name]: value })).rejects.toMatchObject({
          code: 'OPTION_INVALID',
        });
    },
  );
});

/** Bytes in use, of the heap and beside it, without what is garbage. */
function memoryUsed(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}
