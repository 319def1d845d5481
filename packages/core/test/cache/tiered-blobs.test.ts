import { describe, expect, it } from 'vitest';
import { MemoryPlace } from '../compliance/memory-place.ts';
import { bytesOf, inChunks, memory, tieredOf, until } from './tiers-of-memory.ts';

describe('the blobs of a tiered store', () => {
  it('are in every tier when they were put from memory, and are read from the fastest', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([memory(), await near.open(), await far.open()]);
    const { blob, outcome } = (await store.blobs?.put(bytesOf(50_000))) ?? {};
    expect(outcome).toBe('stored');
    const digest = blob?.digest ?? '';
    expect(await near.blobs.get(digest)).toBeDefined();
    await far.blobs.delete(digest);
    let read = 0;
    for await (const chunk of blob?.chunks() ?? []) read += chunk.byteLength;
    expect(read).toBe(50_000);
  });

  it('are copied to faster tiers once they are asked for, when they came in chunks', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([await near.open(), await far.open()]);
    const { blob } = (await store.blobs?.put(inChunks(bytesOf(50_000)))) ?? {};
    const digest = blob?.digest ?? '';
    expect(await near.blobs.get(digest)).toBeUndefined();
    await store.blobs?.get(digest);
    await until(async () => (await near.blobs.get(digest)) !== undefined);
  });

  it('are read from a slower tier when the faster one lost them since', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([await near.open(), await far.open()]);
    const bytes = bytesOf(50_000);
    const { blob } = (await store.blobs?.put(bytes)) ?? {};
    await near.blobs.delete(blob?.digest ?? '');
    const target = new Uint8Array(50_000);
    await blob?.readInto?.(target);
    expect(target).toEqual(bytes);
    await until(async () => (await near.blobs.get(blob?.digest ?? '')) === undefined);
  });

  it('that are damaged in the fastest tier are read whole into memory from the next', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([await near.open(), await far.open()]);
    const bytes = bytesOf(50_000);
    const { blob } = (await store.blobs?.put(bytes)) ?? {};
    await near.blobs.damage(blob?.digest ?? '');
    const target = new Uint8Array(50_000);
    await blob?.readInto?.(target);
    expect(target).toEqual(bytes);
  });

  it('are listed as put when they were put last into any tier', async () => {
    const [near, far] = [new MemoryPlace(), new MemoryPlace()];
    const { store } = tieredOf([await near.open(), await far.open()]);
    const { blob } = (await store.blobs?.put(bytesOf(1000))) ?? {};
    near.blobs.setPutAt(blob?.digest ?? '', near.now + 5000);
    const entries = [];
    for await (const entry of store.blobs?.list() ?? []) entries.push(entry.putAt - near.now);
    expect(entries).toEqual([5000]);
  });
});
