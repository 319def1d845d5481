import assert from 'node:assert/strict';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';
import {
  assertHas,
  assertNoBlob,
  blobsOf,
  digestOf,
  digestsIn,
  readAll,
} from './result-store-blob-samples.js';
import { assertRejects, bytesOf, keyOf } from './result-store-samples.js';

/** How often a store that closes is asked something, to give it the time that closing takes. */
const PATIENCE = 50;

const durableCases: readonly StoreCase[] = [
  {
    id: 'result-store/blob-places/reopened',
    title: 'still has its blobs when the place is opened again',
    promise: 'store-durable',
    needs: needs.durable,
    run: async ({ store, open }) => {
      const bytes = bytesOf(500_000);
      await blobsOf(store).put(bytes);
      const { blob } = await blobsOf(store).put(bytesOf(10));
      await blobsOf(store).delete(blob.digest);
      await store.close();
      const again = blobsOf(await open());
      await assertHas(await again.get(digestOf(bytes)), bytes);
      assert.deepEqual(await digestsIn(again), [digestOf(bytes)]);
      assert.equal((await again.put(bytes)).outcome, 'present');
    },
  },
];

const sharedCases: readonly StoreCase[] = [
  {
    id: 'result-store/blob-places/seen-by-other',
    title: 'shows another store on the place what blobs were put and deleted',
    promise: 'store-shared',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const [blobs, others] = [blobsOf(store), blobsOf(await open())];
      const bytes = bytesOf(500_000);
      const { blob } = await blobs.put(bytes);
      await assertHas(await others.get(blob.digest), bytes);
      assert.equal((await others.put(bytes)).outcome, 'present');
      assert.equal(await others.delete(blob.digest), true);
      await assertNoBlob(blobs, bytes);
    },
  },
];

const damageCases: readonly StoreCase[] = [
  {
    id: 'result-store/blob-places/damaged',
    title: 'never lets a damaged blob pass, and counts it as missing once it was read',
    promise: 'store-damage',
    needs: needs.damageOfBlobs,
    run: async ({ store, damageBlob }) => {
      const blobs = blobsOf(store);
      for (const bytes of [bytesOf(10), bytesOf(3_000_000)]) {
        const { blob } = await blobs.put(bytes);
        await damageBlob(blob.digest);
        await assertRejects(readAll(blob), 'CONTENT_CORRUPT');
        await assertRejects(readAll(blob), 'CONTENT_MISSING');
        await assertNoBlob(blobs, bytes);
        await blobs.delete(blob.digest);
      }
    },
  },
];

export const blobPlaceCases: readonly StoreCase[] = [
  {
    id: 'result-store/blob-places/close-waits-for-put',
    title: 'waits in close for a blob that is being put',
    promise: 'store-closes',
    run: async ({ store }) => {
      let goOn!: () => void;
      const gate = new Promise<void>((resolve) => (goOn = resolve));
      const source = (async function* () {
        yield bytesOf(10);
        await gate;
      })();
      const put = blobsOf(store)
        .put(source)
        .then(
          ({ outcome }) => outcome,
          (error: unknown) => error,
        );
      let closed = false;
      const close = store.close().then(() => (closed = true));
      try {
        for (let other = 0; other < PATIENCE; other += 1) await assert.rejects(store.has(keyOf(other)));
        assert.equal(closed, false, 'close resolved before the put');
      } finally {
        goOn();
      }
      assert.equal(await put, 'stored');
      await close;
    },
  },
  {
    id: 'result-store/blob-places/closed',
    title: 'refuses everything that is asked of blobs after close',
    promise: 'store-closes',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(10);
      await blobs.put(bytes);
      await store.close();
      await assertRejects(blobs.get(digestOf(bytes)), 'STORE_CLOSED');
      await assertRejects(blobs.put(bytes), 'STORE_CLOSED');
      await assertRejects(blobs.delete(digestOf(bytes)), 'STORE_CLOSED');
      await assertRejects(digestsIn(blobs), 'STORE_CLOSED');
    },
  },
  {
    id: 'result-store/blob-places/close-with-reader',
    title: 'closes although somebody stopped reading in the middle of a blob',
    promise: 'store-closes',
    run: async ({ store }) => {
      const { blob } = await blobsOf(store).put(bytesOf(3_000_000));
      const reading = blob.chunks()[Symbol.asyncIterator]();
      assert.equal((await reading.next()).done, false);
      await store.close();
    },
  },
  ...durableCases,
  ...sharedCases,
  ...damageCases,
];
