import assert from 'node:assert/strict';
import type { StoreCase } from './result-store-subject.js';
import {
  assertGives,
  assertNothingLeft,
  assertRejects,
  bytesOf,
  keyOf,
  resultOf,
  streamed,
} from './result-store-samples.js';

const KEY = keyOf(2);
/** How many other results are put one after the other, to give the store the time that ending an aborted put takes. */
const PATIENCE = 50;

export const bodyCases: readonly StoreCase[] = [
  {
    id: 'result-store/bodies/chunkings',
    title: 'keeps a body whatever its chunks are',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const sizes = [5, 0, 300_000, 7];
      const expected = resultOf(sizes);
      const all = Buffer.concat(expected.body.parts ?? []);
      // Empty, tiny and large chunks that keep to no part, in memory that is used again for the next one.
      const lengths = [0, 1, 3, 2, 0, 65_536, 131_072, 100_000, 4096, all.byteLength];
      const chunks = streamed(sizes, async function* () {
        const memory = new Uint8Array(131_072);
        let at = 0;
        for (const length of lengths) {
          const taken = all.subarray(at, at + Math.min(length, memory.byteLength));
          memory.set(taken);
          yield memory.subarray(0, taken.byteLength);
          memory.fill(0);
          at += taken.byteLength;
        }
      });
      assert.equal(await store.put(KEY, chunks), 'stored');
      assert.deepEqual((await store.get(KEY))?.body.sizes, sizes);
      await assertGives(store, KEY, expected);
    },
  },
  {
    id: 'result-store/bodies/empty',
    title: 'keeps an empty body that gives no chunk',
    promise: 'store-keeps',
    run: async ({ store }) => {
      assert.equal(
        await store.put(
          KEY,
          streamed([0, 0], async function* () {}),
        ),
        'stored',
      );
      await assertGives(store, KEY, resultOf([0, 0]));
    },
  },
  {
    id: 'result-store/bodies/unseen-while-put',
    title: 'shows nothing of a result until all of it was put',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const expected = resultOf([40_000]);
      const result = streamed([40_000], async function* () {
        for (let at = 0; at < 40_000; at += 10_000) {
          yield bytesOf(40_000).subarray(at, at + 10_000);
          assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
          assert.equal(await store.has(KEY), false);
        }
      });
      assert.equal(await store.put(KEY, result), 'stored');
      await assertGives(store, KEY, expected);
    },
  },
  {
    id: 'result-store/bodies/too-short',
    title: 'refuses a body that ends too early, and keeps nothing of it',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const short = streamed([10, 1000], async function* () {
        yield bytesOf(500);
        yield bytesOf(509);
      });
      await assertRejects(store.put(KEY, short), 'BYTES_MALFORMED');
      await assertNothingLeft(store, KEY);
    },
  },
  {
    id: 'result-store/bodies/too-long',
    title: 'refuses a body that goes on too long, and keeps nothing of it',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const long = streamed([10, 1000], async function* () {
        yield bytesOf(1010);
        yield bytesOf(1);
      });
      await assertRejects(store.put(KEY, long), 'BYTES_MALFORMED');
      await assertNothingLeft(store, KEY);
    },
  },
  {
    id: 'result-store/bodies/source-fails',
    title: 'passes on why a body failed in the middle, and keeps nothing of it',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const reason = new Error('the source is gone');
      const failing = streamed([100_000], async function* () {
        yield bytesOf(50_000);
        throw reason;
      });
      await assert.rejects(store.put(KEY, failing), (error) => error === reason);
      await assertNothingLeft(store, KEY);
    },
  },
  {
    id: 'result-store/bodies/aborted-in-middle',
    title: 'keeps nothing of a put that is aborted in the middle',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      const result = streamed([100_000], async function* () {
        yield bytesOf(50_000);
        controller.abort(reason);
        yield bytesOf(50_000);
      });
      const { signal } = controller;
      await assert.rejects(store.put(KEY, result, { signal }), (error) => error === reason);
      for (let other = 0; other < PATIENCE; other += 1) await store.put(keyOf(other + 10), resultOf([10]));
      await assertNothingLeft(store, KEY);
    },
  },
  {
    id: 'result-store/bodies/aborted-while-stalled',
    title: 'gives up a put that is aborted while its body does not go on',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      let begun!: () => void;
      const waits = new Promise<void>((resolve) => (begun = resolve));
      let goOn!: () => void;
      const stalled = new Promise<void>((resolve) => (goOn = resolve));
      const result = streamed([100_000], async function* () {
        yield bytesOf(50_000);
        begun();
        await stalled;
        yield bytesOf(50_000);
      });
      let outcome: unknown;
      const { signal } = controller;
      const put = store.put(KEY, result, { signal }).then(
        () => (outcome = 'it resolved'),
        (error: unknown) => (outcome = error),
      );
      await Promise.race([waits, put]);
      controller.abort(reason);
      for (let other = 0; other < PATIENCE && outcome === undefined; other += 1)
        await store.has(keyOf(other + 10));
      const inTime = outcome;
      goOn();
      await put;
      assert.equal(inTime, reason);
    },
  },
  {
    id: 'result-store/bodies/aborted-before',
    title: 'begins nothing when the signal was aborted before',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const reason = new Error('never wanted');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(store.put(KEY, resultOf([10]), { signal }), (error) => error === reason);
      await assert.rejects(store.get(KEY, { signal }), (error) => error === reason);
      await assertNothingLeft(store, KEY);
    },
  },
];
