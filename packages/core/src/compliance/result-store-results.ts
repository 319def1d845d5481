import assert from 'node:assert/strict';
import { bodyOf } from '../model/body.js';
import type { StoreCase } from './result-store-subject.js';
import {
  assertGives,
  bytesOf,
  contentOf,
  keyOf,
  METADATA,
  resultOf,
  streamed,
} from './result-store-samples.js';

const KEY = keyOf(1);
/** Around what stores, disks and networks cut into. */
const SIZES = [1, 7, 8, 9, 255, 4095, 4096, 4097, 65_537, 1024 * 1024, 5 * 1024 * 1024 + 3];

export const resultCases: readonly StoreCase[] = [
  {
    id: 'result-store/results/unknown',
    title: 'answers undefined for a key that was never put',
    promise: 'store-keeps',
    run: async ({ store }) => {
      assert.ok((await store.get(KEY)) === undefined, 'get gives a result where there is none');
    },
  },
  {
    id: 'result-store/results/empty',
    title: 'gives back an empty result as an empty result, not as a miss',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const empty = resultOf([0]);
      assert.equal(await store.put(KEY, empty), 'stored');
      await assertGives(store, KEY, empty);
    },
  },
  {
    id: 'result-store/results/sizes',
    title: 'gives back results of many sizes as they were put',
    promise: 'store-keeps',
    run: async ({ store }) => {
      for (const size of SIZES) {
        assert.equal(await store.put(keyOf(size), resultOf([size], size)), 'stored');
      }
      for (const size of SIZES) await assertGives(store, keyOf(size), resultOf([size], size));
    },
  },
  {
    id: 'result-store/results/parts',
    title: 'keeps head and buffers apart, empty ones too',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const sizes = [3, 0, 1000, 1, 0, 70_000, 8, 0];
      const result = resultOf(sizes);
      await store.put(KEY, result);
      const found = await store.get(KEY);
      assert.deepEqual(found?.body.sizes, sizes);
      if (found.body.parts) {
        const partSizes = found.body.parts.map((part) => part.byteLength);
        assert.deepEqual(partSizes, sizes, 'bytes of the parts');
      }
      await assertGives(store, KEY, result);
    },
  },
  {
    id: 'result-store/results/many-buffers',
    title: 'keeps a result of very many buffers',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const many = resultOf(Array.from({ length: 3000 }, (_, part) => part % 11));
      await store.put(KEY, many);
      await assertGives(store, KEY, many);
    },
  },
  {
    id: 'result-store/results/parts-and-chunks',
    title: 'gives the same bytes in parts and in chunks, and again at the next get',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const result = resultOf([2000]);
      await store.put(KEY, result);
      const chunks: Uint8Array[] = [];
      const found = await store.get(KEY);
      for await (const chunk of found?.body.chunks() ?? []) chunks.push(Uint8Array.from(chunk));
      assert.deepEqual(Uint8Array.from(Buffer.concat(chunks)), bytesOf(2000));
      await assertGives(store, KEY, result);
    },
  },
  {
    id: 'result-store/results/keys-apart',
    title: 'keeps results under different keys apart',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const keys = ['0'.repeat(64), '1'.padEnd(64, '0'), '1'.padStart(64, '0'), 'f'.repeat(64)];
      await Promise.all(keys.map((key, at) => store.put(key, resultOf([100], at))));
      for (const [at, key] of keys.entries()) await assertGives(store, key, resultOf([100], at));
    },
  },
  {
    id: 'result-store/results/own-copy',
    title: 'keeps bytes of its own: what the caller does with them after put changes nothing',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const memory = bytesOf(300);
      const metadata = { ...METADATA };
      // As a Buffer and as a view in the middle of its memory: each has its own way to be copied wrongly.
      const body = bodyOf({ head: Buffer.from(memory.buffer, 0, 100), buffers: [memory.subarray(100)] });
      await store.put(KEY, { metadata, body });
      memory.fill(0);
      metadata.durationMs = -1;
      const found = await store.get(KEY);
      assert.deepEqual(Uint8Array.from(found ? await contentOf(found.body) : []), bytesOf(300));
      assert.equal(found?.metadata.durationMs, METADATA.durationMs);
    },
  },
  {
    id: 'result-store/results/first-wins',
    title: 'keeps the first result of a key and says that it was present',
    promise: 'store-first-wins',
    run: async ({ store }) => {
      const first = resultOf([100], 1);
      assert.equal(await store.put(KEY, first), 'stored');
      const later = { ...METADATA, createdAt: METADATA.createdAt + 1 };
      assert.equal(await store.put(KEY, resultOf([200], 2, later)), 'present');
      await assertGives(store, KEY, first);
    },
  },
  {
    id: 'result-store/results/race',
    title: 'lets exactly one of many writers at once win',
    promise: 'store-first-wins',
    run: async ({ store }) => {
      const results = Array.from({ length: 20 }, (_, writer) => resultOf([1000 + writer], writer));
      const outcomes = await Promise.all(results.map((result) => store.put(KEY, result)));
      const winners = results.filter((_, writer) => outcomes[writer] === 'stored');
      assert.equal(winners.length, 1, `outcomes: ${outcomes.join(', ')}`);
      for (const winner of winners) await assertGives(store, KEY, winner);
    },
  },
  {
    id: 'result-store/results/race-of-chunks',
    title: 'lets exactly one of many writers that send chunks win',
    promise: 'store-first-wins',
    run: async ({ store }) => {
      const results = Array.from({ length: 20 }, (_, writer) => resultOf([3000 + writer], writer));
      const outcomes = await Promise.all(
        results.map(({ body }) =>
          store.put(
            KEY,
            streamed(body.sizes, () => body.chunks()),
          ),
        ),
      );
      const winners = results.filter((_, writer) => outcomes[writer] === 'stored');
      assert.equal(winners.length, 1, `outcomes: ${outcomes.join(', ')}`);
      for (const winner of winners) await assertGives(store, KEY, winner);
    },
  },
];
