import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES, MemoryStore } from '../../src/cache/memory-store.ts';
import type { StoreEvent } from '../../src/events/engine-event.ts';
import { type Body, bodyOf } from '../../src/model/body.ts';
import type { ResultMetadata, StoredResult } from '../../src/model/result.ts';

const metadata: ResultMetadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: 'run-1',
  codec: 'test-1',
  createdAt: 0,
  durationMs: 1,
};
const key = (digit: string): string => digit.repeat(64);
const resultOf = (...sizes: number[]): StoredResult => {
  const [head = new Uint8Array(0), ...buffers] = sizes.map((size) => new Uint8Array(size).fill(size));
  return { metadata, body: bodyOf({ head, buffers }) };
};

/** A store with room for that many results of 1000 bytes. */
function storeFor(results: number): { store: MemoryStore; events: StoreEvent[] } {
  const maxBytes = results * (1000 + ENTRY_BYTES);
  const store = new MemoryStore({ id: '1', node: 'client', clock: { now: () => 42 }, maxBytes });
  const events: StoreEvent[] = [];
  store.events$.subscribe((event) => events.push(event));
  return { store, events };
}

describe('MemoryStore', () => {
  it('lets the least recently used result go when there is no more room, and tells', async () => {
    const { store, events } = storeFor(2);
    await store.put(key('a'), resultOf(1000));
    await store.put(key('b'), resultOf(1000));
    await store.put(key('c'), resultOf(1000));
    expect(await store.get(key('a'))).toBeUndefined();
    expect(await store.has(key('b'))).toBe(true);
    expect(events).toEqual([
      { type: 'store.evicted', at: 42, node: 'client', store: 'memory', key: key('a'), byteLength: 1000 },
    ]);
  });

  it('counts a get and a repeated put as use, but not a has or a list', async () => {
    const { store } = storeFor(3);
    for (const digit of ['a', 'b', 'c']) await store.put(key(digit), resultOf(1000));
    await store.get(key('a'));
    await store.put(key('b'), resultOf(1000));
    await store.has(key('c'));
    for await (const entry of store.list()) expect(entry.byteLength).toBe(1000);
    await store.put(key('d'), resultOf(1000));
    expect(await store.has(key('c'))).toBe(false);
    expect(await store.has(key('a'))).toBe(true);
    expect(await store.has(key('b'))).toBe(true);
  });

  it('makes as much room as a large result needs', async () => {
    const { store, events } = storeFor(3);
    for (const digit of ['a', 'b', 'c']) await store.put(key(digit), resultOf(1000));
    await store.put(key('d'), resultOf(1000, 1000 + ENTRY_BYTES));
    expect(events.map((event) => event.key)).toEqual([key('a'), key('b')]);
    expect(await store.has(key('c'))).toBe(true);
  });

  it('bounds the number of empty results as well', async () => {
    const { store, events } = storeFor(1);
    for (const digit of ['a', 'b', 'c']) await store.put(key(digit), resultOf(0));
    expect(events.length).toBeGreaterThan(0);
  });

  it('refuses a result that is larger than the whole bound, and keeps the others', async () => {
    const { store, events } = storeFor(1);
    await store.put(key('a'), resultOf(1000));
    await expect(store.put(key('b'), resultOf(1001))).rejects.toMatchObject({
      code: 'STORE_FULL',
      message: expect.stringContaining('raise maxBytes'),
    });
    expect(await store.has(key('a'))).toBe(true);
    expect(events).toEqual([]);
  });

  it('refuses a streamed result that is too large before it reads any of it', async () => {
    const { store } = storeFor(1);
    const chunks = (): never => {
      throw new Error('was read');
    };
    const body: Body = { byteLength: 5000, sizes: [5000], chunks };
    await expect(store.put(key('a'), { metadata, body })).rejects.toMatchObject({ code: 'STORE_FULL' });
  });

  it('tells of no eviction when a result is deleted or the store closes', async () => {
    const { store, events } = storeFor(2);
    await store.put(key('a'), resultOf(1000));
    await store.put(key('b'), resultOf(1000));
    await store.delete(key('a'));
    await store.close();
    expect(events).toEqual([]);
  });

  it('may be used by whoever hears of an eviction', async () => {
    const { store } = storeFor(1);
    const seen: boolean[] = [];
    store.events$.subscribe((event) => void store.has(event.key).then((there) => seen.push(there)));
    await store.put(key('a'), resultOf(1000));
    await store.put(key('b'), resultOf(1000));
    expect(await store.has(key('b'))).toBe(true);
    expect(seen).toEqual([false]);
  });

  it('gives every get the same memory', async () => {
    const { store } = storeFor(1);
    await store.put(key('a'), resultOf(1000));
    const [first, second] = [await store.get(key('a')), await store.get(key('a'))];
    expect(first?.body.parts?.[0]).toBe(second?.body.parts?.[0]);
  });

  it('refuses a body whose parts or sizes are not what it says', async () => {
    const { store } = storeFor(1);
    const { body } = resultOf(10, 20);
    const wrongSizes: Body = { ...body, sizes: [20, 10] };
    await expect(store.put(key('a'), { metadata, body: wrongSizes })).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
    });
    const wrongSum: Body = { byteLength: 31, sizes: [10, 20], chunks: () => body.chunks() };
    await expect(store.put(key('a'), { metadata, body: wrongSum })).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
    });
    expect(await store.has(key('a'))).toBe(false);
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses %s as its bound', (maxBytes) => {
    expect(() => new MemoryStore({ id: '1', node: 'client', clock: { now: () => 0 }, maxBytes })).toThrow(
      expect.objectContaining({ code: 'OPTION_INVALID' }),
    );
  });
});
