import { describe, expect, it } from 'vitest';
import { ENTRY_BYTES } from '../../src/cache/memory-store.ts';
import { keyOf, memory, resultOf } from './tiers-of-memory.ts';

const ROOM_FOR_TWO = 2 * (100 + ENTRY_BYTES);

describe('a pinned result in memory', () => {
  it('stays while others go, and takes no room from them', async () => {
    const store = memory({ maxBytes: ROOM_FOR_TWO });
    await store.put(keyOf(1), resultOf(100));
    await store.pin(keyOf(1), true);
    for (const key of [2, 3, 4]) await store.put(keyOf(key), resultOf(100));
    expect(await store.has(keyOf(1))).toBe(true);
    expect(await store.has(keyOf(2))).toBe(false);
    expect(await store.has(keyOf(3))).toBe(true);
    expect(await store.has(keyOf(4))).toBe(true);
  });

  it('counts again when it is unpinned, as the one that was used last', async () => {
    const store = memory({ maxBytes: ROOM_FOR_TWO });
    await store.put(keyOf(1), resultOf(100));
    await store.pin(keyOf(1), true);
    for (const key of [2, 3]) await store.put(keyOf(key), resultOf(100));
    await store.pin(keyOf(1), false);
    expect(await store.has(keyOf(1))).toBe(true);
    expect(await store.has(keyOf(2))).toBe(false);
    for (const key of [4, 5]) await store.put(keyOf(key), resultOf(100));
    expect(await store.has(keyOf(1))).toBe(false);
  });
});
