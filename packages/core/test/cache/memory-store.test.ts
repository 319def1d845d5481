import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES, MemoryStore } from '../../src/cache/memory-store.ts';
import type { StoreEvent } from '../../src/events/engine-event.ts';
import { type Body, bodyOf } from '../../src/model/body.ts';
import type { ResultMetadata, StoredResult } from '../../src/model/result.ts';
import type { StoredBlob } from '../../src/model/stored-blob.ts';

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

  it('keeps large parts in memory that threads can share, and small ones not, however they were put', async () => {
    const store = new MemoryStore({ id: '1', node: 'client', clock: { now: () => 42 } });
    const sizes = [10, 65_536, 65_535, 300_001];
    const inMemory = resultOf(...sizes);
    const { body } = inMemory;
    const streamed: Body = { byteLength: body.byteLength, sizes, chunks: () => body.chunks() };
    await store.put(key('a'), inMemory);
    await store.put(key('b'), { metadata, body: streamed });
    for (const digit of ['a', 'b']) {
      const parts = (await store.get(key(digit)))?.body.parts ?? [];
      const isShared = parts.map((part) => part.buffer instanceof SharedArrayBuffer);
      expect(isShared).toEqual([false, true, false, true]);
      for (const [at, part] of parts.entries())
        expect(Buffer.compare(part, body.parts?.[at] ?? part)).toBe(0);
    }
  });

  it('reads the parts that a value has elsewhere, whole', async () => {
    const store = new MemoryStore({ id: '1', node: 'client', clock: { now: () => 42 } });
    const bytes = new Uint8Array(100_000).fill(7);
    const blob: StoredBlob = {
      digest: 'd'.repeat(64),
      byteLength: bytes.byteLength,
      async *chunks() {
        yield bytes.subarray(0, 70_000);
        yield bytes.subarray(70_000);
      },
    };
    const empty = new Uint8Array(0);
    const value = {
      head: new Uint8Array([1]),
      buffers: [empty, new Uint8Array([2])],
      blobs: new Map([[1, blob]]),
    };
    await store.put(key('a'), { metadata, body: bodyOf(value) });
    const found = await store.get(key('a'));
    expect(found?.body.sizes).toEqual([1, 100_000, 1]);
    expect(Buffer.concat(found?.body.parts ?? [])).toEqual(Buffer.from([1, ...bytes, 2]));
    expect(found?.body.value?.blobs).toBeUndefined();
  });

  it('refuses a body whose parts or sizes are not what it says', async () => {
    const { store } = storeFor(1);
    const { body } = resultOf(10, 20);
    const wrongSizes: Body = { ...body, sizes: [20, 10] };
    await expect(store.put(key('a'), { metadata, body: wrongSizes })).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
    });
    const noPart: Body = { byteLength: 0, sizes: [], chunks: () => body.chunks() };
    await expect(store.put(key('a'), { metadata, body: noPart })).rejects.toMatchObject({
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
