import assert from 'node:assert/strict';
import type { StoreCase } from './result-store-subject.js';
import { assertGives, assertRejects, keyOf, listOf, METADATA, resultOf } from './result-store-samples.js';

const KEY = keyOf(3);
const NO_KEYS = [
  '',
  'a'.repeat(63),
  'a'.repeat(65),
  'A'.repeat(64),
  'g'.repeat(64),
  `${'a'.repeat(64)}\n`,
  ` ${'a'.repeat(63)}`,
  '../'.repeat(21) + 'a',
  `${'a'.repeat(60)}/../`,
  `${'a'.repeat(63)}\0`,
];

export const entryCases: readonly StoreCase[] = [
  {
    id: 'result-store/entries/has',
    title: 'has a result from its put to its delete',
    promise: 'store-lists',
    run: async ({ store }) => {
      assert.equal(await store.has(KEY), false, 'before put');
      await store.put(KEY, resultOf([10]));
      assert.equal(await store.has(KEY), true, 'after put');
      await store.delete(KEY);
      assert.equal(await store.has(KEY), false, 'after delete');
    },
  },
  {
    id: 'result-store/entries/deleted',
    title: 'forgets a deleted result and keeps the next one',
    promise: 'store-lists',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([100], 1));
      assert.equal(await store.delete(KEY), true);
      assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
      const next = resultOf([50], 2);
      assert.equal(await store.put(KEY, next), 'stored');
      await assertGives(store, KEY, next);
    },
  },
  {
    id: 'result-store/entries/nothing-to-delete',
    title: 'says when there was nothing to delete',
    promise: 'store-lists',
    run: async ({ store }) => {
      assert.equal(await store.delete(KEY), false);
      await store.put(KEY, resultOf([10]));
      const deleted = await Promise.all([store.delete(KEY), store.delete(KEY), store.delete(KEY)]);
      assert.deepEqual(deleted.toSorted(), [false, false, true]);
    },
  },
  {
    id: 'result-store/entries/empty',
    title: 'lists nothing when it is empty',
    promise: 'store-lists',
    run: async ({ store }) => {
      assert.deepEqual(await listOf(store), []);
    },
  },
  {
    id: 'result-store/entries/listed',
    title: 'lists every result once, with its metadata and its number of bytes',
    promise: 'store-lists',
    run: async ({ store }) => {
      const expected = Array.from({ length: 50 }, (_, at) => ({
        key: at.toString(16).padStart(2, '0').padEnd(64, '7'),
        metadata: { ...METADATA, durationMs: at },
        byteLength: 3 + at * 200,
        pinned: false,
      }));
      await Promise.all(
        expected.map(({ key, metadata, byteLength }) =>
          store.put(key, resultOf([3, byteLength - 3], 1, metadata)),
        ),
      );
      const entries = await listOf(store);
      assert.deepEqual(
        entries.toSorted((a, b) => (a.key < b.key ? -1 : 1)),
        expected,
      );
    },
  },
  {
    id: 'result-store/entries/changing',
    title: 'goes on listing while results come and go',
    promise: 'store-lists',
    run: async ({ store }) => {
      const stays = Array.from({ length: 20 }, (_, at) => keyOf(100 + at));
      const goes = Array.from({ length: 20 }, (_, at) => keyOf(200 + at));
      for (const key of [...stays, ...goes]) await store.put(key, resultOf([10]));
      const seen: string[] = [];
      let round = 0;
      for await (const { key } of store.list()) {
        seen.push(key);
        const gone = goes[round];
        if (gone) await store.delete(gone);
        await store.put(keyOf(300 + round), resultOf([10]));
        round += 1;
        assert.ok(round < 1000, 'list does not end');
      }
      assert.equal(new Set(seen).size, seen.length, 'a key is listed twice');
      const missed = stays.filter((key) => !seen.includes(key));
      assert.deepEqual(missed, [], 'kept all the time, but not listed');
    },
  },
  {
    id: 'result-store/entries/left-in-middle',
    title: 'may be left in the middle of a list',
    promise: 'store-lists',
    run: async ({ store }) => {
      for (let at = 0; at < 5; at += 1) await store.put(keyOf(at), resultOf([10], at));
      for await (const entry of store.list()) {
        assert.ok(entry.key);
        break;
      }
      assert.equal((await listOf(store)).length, 5);
    },
  },
  {
    id: 'result-store/entries/invalid-key',
    title: 'refuses a key that is not 64 lower-case hex digits, whatever is asked',
    promise: 'store-refuses-keys',
    run: async ({ store }) => {
      for (const key of NO_KEYS) {
        await assertRejects(store.get(key), 'STORE_KEY_INVALID');
        await assertRejects(store.put(key, resultOf([10])), 'STORE_KEY_INVALID');
        await assertRejects(store.has(key), 'STORE_KEY_INVALID');
        await assertRejects(store.delete(key), 'STORE_KEY_INVALID');
      }
      assert.deepEqual(await listOf(store), []);
    },
  },
];
