import assert from 'node:assert/strict';
import type { ResultStore } from '../ports/result-store.js';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';
import { assertGives, assertRejects, keyOf, listOf, resultOf } from './result-store-samples.js';

const KEY = keyOf(6);

const durableCases: readonly StoreCase[] = [
  {
    id: 'result-store/pins/reopened',
    title: 'still knows what is pinned when the place is opened again',
    promise: 'store-durable',
    needs: needs.durable,
    run: async ({ store, open }) => {
      for (const at of [1, 2, 3]) await store.put(keyOf(at), resultOf([10], at));
      await store.pin(keyOf(1), true);
      await store.pin(keyOf(2), true);
      await store.pin(keyOf(2), false);
      await store.close();
      assert.deepEqual(await pinnedIn(await open()), [keyOf(1)]);
    },
  },
];

const sharedCases: readonly StoreCase[] = [
  {
    id: 'result-store/pins/seen-by-other',
    title: 'shows another store on the place what is pinned',
    promise: 'store-shared',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const other = await open();
      await store.put(KEY, resultOf([10]));
      await store.pin(KEY, true);
      assert.deepEqual(await pinnedIn(other), [KEY]);
      assert.equal(await other.pin(KEY, false), true);
      assert.deepEqual(await pinnedIn(store), []);
    },
  },
];

export const pinCases: readonly StoreCase[] = [
  {
    id: 'result-store/pins/listed',
    title: 'lists a result as pinned from its pin to its unpin',
    promise: 'store-pins',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10]));
      await store.put(keyOf(7), resultOf([10]));
      assert.deepEqual(await pinnedIn(store), [], 'after put');
      assert.equal(await store.pin(KEY, true), true);
      assert.deepEqual(await pinnedIn(store), [KEY], 'after pin');
      assert.equal(await store.pin(KEY, false), true);
      assert.deepEqual(await pinnedIn(store), [], 'after unpin');
    },
  },
  {
    id: 'result-store/pins/nothing-to-pin',
    title: 'says when there was nothing to pin or to unpin',
    promise: 'store-pins',
    run: async ({ store }) => {
      assert.equal(await store.pin(KEY, true), false);
      assert.equal(await store.pin(KEY, false), false);
      await store.put(KEY, resultOf([10]));
      assert.deepEqual(await pinnedIn(store), [], 'a pin of nothing waited for a result');
      await store.delete(KEY);
      assert.equal(await store.pin(KEY, true), false);
    },
  },
  {
    id: 'result-store/pins/repeated',
    title: 'pins and unpins as often as it is asked, and says the same',
    promise: 'store-pins',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10]));
      assert.equal(await store.pin(KEY, false), true);
      for (let round = 0; round < 3; round += 1) assert.equal(await store.pin(KEY, true), true);
      assert.deepEqual(await pinnedIn(store), [KEY]);
      const unpinned = await Promise.all([store.pin(KEY, false), store.pin(KEY, false)]);
      assert.deepEqual(unpinned, [true, true]);
      assert.deepEqual(await pinnedIn(store), []);
    },
  },
  {
    id: 'result-store/pins/read',
    title: 'gives a pinned result as any other, also once it is unpinned',
    promise: 'store-pins',
    run: async ({ store }) => {
      const result = resultOf([3, 0, 100_000]);
      await store.put(KEY, result);
      for (const pinned of [true, false]) {
        await store.pin(KEY, pinned);
        await assertGives(store, KEY, result);
        assert.deepEqual((await store.get(KEY))?.metadata, result.metadata);
        assert.equal(await store.has(KEY), true);
        assert.equal(await store.put(KEY, resultOf([10])), 'present');
        assert.equal((await listOf(store)).length, 1, 'how often it is listed');
      }
    },
  },
  {
    id: 'result-store/pins/deleted',
    title: 'forgets a pin with the result that was pinned',
    promise: 'store-pins',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10], 1));
      await store.pin(KEY, true);
      assert.equal(await store.delete(KEY), true);
      assert.equal(await store.has(KEY), false);
      const next = resultOf([10], 2);
      assert.equal(await store.put(KEY, next), 'stored');
      await assertGives(store, KEY, next);
      assert.deepEqual(await pinnedIn(store), []);
    },
  },
  {
    id: 'result-store/pins/invalid-key',
    title: 'refuses to pin a key that is not 64 lower-case hex digits',
    promise: 'store-refuses-keys',
    run: async ({ store }) => {
      for (const key of ['', 'A'.repeat(64), '../'.repeat(21) + 'a', `${'a'.repeat(63)}\0`]) {
        await assertRejects(store.pin(key, true), 'STORE_KEY_INVALID');
        await assertRejects(store.pin(key, false), 'STORE_KEY_INVALID');
      }
    },
  },
  {
    id: 'result-store/pins/closed',
    title: 'pins nothing after close',
    promise: 'store-closes',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10]));
      await store.close();
      await assertRejects(store.pin(KEY, true), 'STORE_CLOSED');
    },
  },
  ...durableCases,
  ...sharedCases,
];

async function pinnedIn(store: ResultStore): Promise<string[]> {
  return (await listOf(store)).filter(({ pinned }) => pinned).map(({ key }) => key);
}
