import { describe, expect, it, onTestFinished } from 'vitest';
import { storeStats } from '../../src/cache/store-stats.ts';
import { verifyStore } from '../../src/cache/verify-store.ts';
import type { StoreEvent } from '../../src/events/engine-event.ts';
import { EventFeed } from '../../src/events/event-feed.ts';
import type { ResultStore } from '../../src/ports/result-store.ts';
import { MemoryPlace, type PlaceBreakage } from '../compliance/memory-place.ts';
import { bytesOf, keyOf, memory, resultOf, streamed } from './tiers-of-memory.ts';

const EMPTY = {
  results: { whole: 0, damaged: 0, incomplete: 0 },
  blobs: { whole: 0, damaged: 0 },
  byteLength: 0,
};

async function openPlace(breakage?: PlaceBreakage): Promise<{ place: MemoryPlace; store: ResultStore }> {
  const place = new MemoryPlace(breakage);
  const store = await place.open();
  onTestFinished(() => store.close());
  return { place, store };
}

async function putWithBlob(store: ResultStore, key: number, value: number): Promise<string> {
  const kept = await store.blobs?.put(bytesOf(5000, value));
  const digest = kept?.blob.digest ?? '';
  const blobs = [{ part: 1, digest, byteLength: 5000 }];
  await store.put(keyOf(key), resultOf(100, { blobs, routineId: 'tname:news:large:1.0.0' }));
  return digest;
}

describe('verifying a store', () => {
  it('counts what is whole, and leaves it', async () => {
    const { store } = await openPlace();
    await putWithBlob(store, 1, 1);
    await store.put(keyOf(2), resultOf(100));
    const report = await verifyStore(store);
    expect(report).toEqual({
      ...EMPTY,
      results: { ...EMPTY.results, whole: 2 },
      blobs: { whole: 1, damaged: 0 },
      byteLength: 5200,
    });
    expect(await verifyStore(store)).toEqual(report);
  });

  it('finds damaged results and blobs, and deletes results whose blobs are gone', async () => {
    const { place, store } = await openPlace();
    const damaged = await putWithBlob(store, 1, 1);
    const gone = await putWithBlob(store, 2, 2);
    await putWithBlob(store, 3, 3);
    await store.put(keyOf(4), resultOf(100));
    place.damage(keyOf(4));
    await place.blobs.damage(damaged);
    await store.blobs?.delete(gone);
    expect(await verifyStore(store)).toEqual({
      results: { whole: 1, damaged: 1, incomplete: 2 },
      blobs: { whole: 1, damaged: 1 },
      byteLength: 5100,
    });
    for (const [key, there] of [
      [1, false],
      [2, false],
      [3, true],
      [4, false],
    ] as const)
      expect(await store.has(keyOf(key))).toBe(there);
    expect((await verifyStore(store)).results).toEqual({ whole: 1, damaged: 0, incomplete: 0 });
  });

  it('counts what the store tells of instead of listing it', async () => {
    const feed = new EventFeed<StoreEvent>();
    const told = { type: 'store.corrupt', at: 0, node: 'client', store: 'place', detail: 'was cut' } as const;
    const { store } = await openPlace((sound) => ({
      events$: feed.events$,
      async *list() {
        feed.emit({ ...told, key: keyOf(8) });
        feed.emit({ ...told, key: keyOf(1) });
        yield* sound.list();
      },
      blobs: {
        ...sound.blobs!,
        async *list() {
          feed.emit({ ...told, key: 'd'.repeat(64) });
          yield* sound.blobs!.list();
        },
      },
    }));
    // What was told of it is over: it was put again, or another tier has it.
    await putWithBlob(store, 1, 1);
    expect(await verifyStore(store)).toEqual({
      results: { whole: 1, damaged: 1, incomplete: 0 },
      blobs: { whole: 1, damaged: 1 },
      byteLength: 5100,
    });
  });

  it('reads results that come in chunks to their end', async () => {
    let read = 0;
    const { store } = await openPlace((sound) => ({
      get: async (...args) => {
        const found = await sound.get(...args);
        if (!found) return undefined;
        const { metadata, body } = streamed(found);
        return {
          metadata,
          body: {
            ...body,
            async *chunks() {
              for await (const chunk of body.chunks()) {
                yield chunk;
                read += chunk.byteLength;
              }
            },
          },
        };
      },
    }));
    await store.put(keyOf(1), resultOf(100));
    expect((await verifyStore(store)).results.whole).toBe(1);
    expect(read).toBe(100);
  });

  it('takes a result that somebody deletes meanwhile for none', async () => {
    const { place, store } = await openPlace((sound, { results }) => ({
      async *list() {
        for await (const entry of sound.list()) {
          await results.delete(entry.key);
          yield entry;
        }
      },
    }));
    await place.results.put(keyOf(1), resultOf(100));
    expect(await verifyStore(store)).toEqual(EMPTY);
  });

  it('ends with the reason of the signal', async () => {
    const { store } = await openPlace();
    await putWithBlob(store, 1, 1);
    const reason = new Error('enough');
    await expect(verifyStore(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });

  it('takes a store without blobs', async () => {
    const store = memory();
    onTestFinished(() => store.close());
    await store.put(keyOf(1), resultOf(100));
    await store.put(keyOf(2), resultOf(1, { blobs: [{ part: 0, digest: 'd'.repeat(64), byteLength: 7 }] }));
    expect((await verifyStore(store)).results).toEqual({ whole: 1, damaged: 0, incomplete: 1 });
  });
});

describe('the statistics of a store', () => {
  it('count results, blobs and bytes, in all and for each routine, the largest first', async () => {
    const { store } = await openPlace();
    await putWithBlob(store, 1, 1);
    await putWithBlob(store, 2, 1);
    for (const key of [3, 4, 5]) await store.put(keyOf(key), resultOf(10));
    await store.pin(keyOf(3), true);
    expect(await storeStats(store)).toEqual({
      ...{ results: 5, resultBytes: 230, blobs: 1, blobBytes: 5000, pinned: 1 },
      routines: [
        { routineId: 'tname:news:large:1.0.0', results: 2, byteLength: 10_200 },
        { routineId: 'tname:news:train:0.0.1', results: 3, byteLength: 30 },
      ],
    });
  });

  it('are all nothing for an empty store without blobs', async () => {
    const store = memory();
    onTestFinished(() => store.close());
    const nothing = { results: 0, resultBytes: 0, blobs: 0, blobBytes: 0, pinned: 0 };
    expect(await storeStats(store)).toEqual({ ...nothing, routines: [] });
  });

  it('end with the reason of the signal', async () => {
    const { store } = await openPlace();
    await store.put(keyOf(1), resultOf(10));
    const reason = new Error('enough');
    await expect(storeStats(store, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  });
});
