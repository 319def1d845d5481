import assert from 'node:assert/strict';
import type { StoreEvent } from '../events/engine-event.js';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';
import {
  assertGives,
  assertRejects,
  bytesOf,
  keyOf,
  listOf,
  resultOf,
  streamed,
} from './result-store-samples.js';

const KEY = keyOf(4);

const closeCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/close-waits-for-put',
    title: 'waits in close for a put that is under way',
    promise: 'store-closes',
    run: async ({ store }) => {
      let goOn!: () => void;
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      const result = streamed([20], async function* () {
        yield bytesOf(10);
        await gate;
        yield bytesOf(10);
      });
      const put = store.put(KEY, result).catch((error: unknown) => error);
      let closed = false;
      const close = store.close().then(() => (closed = true));
      try {
        await assert.rejects(store.has(KEY));
        assert.equal(closed, false, 'close resolved before the put');
      } finally {
        goOn();
      }
      assert.equal(await put, 'stored');
      await close;
    },
  },
  {
    id: 'result-store/places/closes-once',
    title: 'closes once, however often it is asked',
    promise: 'store-closes',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10]));
      await Promise.all([store.close(), store.close()]);
      await store.close();
    },
  },
  {
    id: 'result-store/places/closed',
    title: 'refuses everything after close',
    promise: 'store-closes',
    run: async ({ store }) => {
      await store.put(KEY, resultOf([10]));
      await store.close();
      await assertRejects(store.get(KEY), 'STORE_CLOSED');
      await assertRejects(store.put(KEY, resultOf([10])), 'STORE_CLOSED');
      await assertRejects(store.has(KEY), 'STORE_CLOSED');
      await assertRejects(store.delete(KEY), 'STORE_CLOSED');
      await assertRejects(listOf(store), 'STORE_CLOSED');
    },
  },
  {
    id: 'result-store/places/events-complete',
    title: 'completes its events at close, without an error',
    promise: 'store-closes',
    run: async ({ store }) => {
      const told: string[] = [];
      store.events$.subscribe({
        error: () => told.push('error'),
        complete: () => told.push('complete'),
      });
      await store.put(KEY, resultOf([10]));
      assert.deepEqual(told, []);
      await store.close();
      assert.deepEqual(told, ['complete']);
    },
  },
];

const durableCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/reopened',
    title: 'still has its results when the place is opened again',
    promise: 'store-durable',
    needs: needs.durable,
    run: async ({ store, open }) => {
      const result = resultOf([3, 5000]);
      await store.put(KEY, result);
      await store.put(keyOf(5), resultOf([10]));
      await store.delete(keyOf(5));
      await store.close();
      const again = await open();
      await assertGives(again, KEY, result);
      assert.deepEqual((await again.get(KEY))?.metadata, result.metadata);
      assert.equal(await again.has(keyOf(5)), false);
      assert.equal(again.identity, store.identity);
    },
  },
];

const sharedCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/seen-by-other',
    title: 'shows another store on the place what was put',
    promise: 'store-shared',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const other = await open();
      assert.equal(other.identity, store.identity);
      assert.ok((await other.get(KEY)) === undefined, 'get gives a result where there is none');
      const result = resultOf([3, 5000]);
      await store.put(KEY, result);
      await assertGives(other, KEY, result);
      assert.equal(await other.has(KEY), true);
      assert.equal(await other.put(KEY, resultOf([10])), 'present');
      assert.deepEqual(
        (await listOf(other)).map(({ key }) => key),
        [KEY],
      );
    },
  },
  {
    id: 'result-store/places/race-on-two',
    title: 'lets exactly one of many writers on two stores win',
    promise: 'store-first-wins',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const stores = [store, await open()];
      const results = Array.from({ length: 20 }, (_, writer) => resultOf([1000 + writer], writer));
      const puts = results.map((result, writer) => (stores[writer % 2] ?? store).put(KEY, result));
      const outcomes = await Promise.all(puts);
      const winners = results.filter((_, writer) => outcomes[writer] === 'stored');
      assert.equal(winners.length, 1, `outcomes: ${outcomes.join(', ')}`);
      for (const winner of winners) for (const each of stores) await assertGives(each, KEY, winner);
    },
  },
  {
    id: 'result-store/places/other-closes',
    title: 'goes on when another store on the place is closed',
    promise: 'store-shared',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const other = await open();
      await store.put(KEY, resultOf([10]));
      await store.close();
      await assertGives(other, KEY, resultOf([10]));
      assert.equal(await other.put(keyOf(5), resultOf([10])), 'stored');
    },
  },
];

const deletedCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/deleted-by-other',
    title: 'shows another store on the place what was deleted',
    promise: 'store-shared',
    needs: needs.sharedWithoutCopies,
    run: async ({ store, open }) => {
      const other = await open();
      await store.put(KEY, resultOf([10]));
      await assertGives(other, KEY, resultOf([10]));
      assert.equal(await other.delete(KEY), true);
      assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
      assert.equal(await store.has(KEY), false);
      assert.equal(await store.delete(KEY), false);
      assert.deepEqual(await listOf(store), []);
    },
  },
];

const damageCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/damaged',
    title: 'counts a damaged result as a miss and tells of it',
    promise: 'store-damage',
    needs: needs.damage,
    run: async ({ store, damage }) => {
      await store.put(KEY, resultOf([3, 5000]));
      await store.put(keyOf(5), resultOf([10]));
      await damage(KEY);
      const told: StoreEvent[] = [];
      store.events$.subscribe((event) => told.push(event));
      assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
      await assertGives(store, keyOf(5), resultOf([10]));
      const what = told.map(({ type, key, store: name }) => ({ type, key, name }));
      assert.deepEqual(what, [{ type: 'store.corrupt', key: KEY, name: store.name }]);
    },
  },
  {
    id: 'result-store/places/replaces-damaged',
    title: 'keeps a new result in place of a damaged one',
    promise: 'store-damage',
    needs: needs.damage,
    run: async ({ store, damage }) => {
      await store.put(KEY, resultOf([5000], 1));
      await damage(KEY);
      assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
      const next = resultOf([5000], 2);
      assert.equal(await store.put(KEY, next), 'stored');
      await assertGives(store, KEY, next);
    },
  },
];

export const placeCases: readonly StoreCase[] = [
  {
    id: 'result-store/places/declared',
    title: 'declares the capabilities by which it is tested',
    promise: 'store-declares',
    run: async ({ store, can }) => {
      const { durable, shared, blobs, leases, sweeps } = can;
      assert.deepEqual({ ...store.capabilities }, { durable, shared });
      assert.equal(store.blobs !== undefined, blobs, 'whether it keeps blobs');
      assert.equal(store.leases !== undefined, leases, 'whether it has leases');
      assert.equal(store.sweep !== undefined, sweeps, 'whether it has a sweep');
      assert.match(store.name, /^[a-z][a-z0-9-]*$/);
    },
  },
  {
    id: 'result-store/places/identity',
    title: 'has an identity that no other place has',
    promise: 'store-declares',
    run: async ({ store, elsewhere }) => {
      assert.ok(store.identity.startsWith(`${store.name}:`), store.identity);
      assert.notEqual((await elsewhere()).identity, store.identity);
    },
  },
  ...closeCases,
  ...durableCases,
  ...sharedCases,
  ...deletedCases,
  ...damageCases,
];
