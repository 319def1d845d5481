import assert from 'node:assert/strict';
import type { ResultStore, SweepOptions, SweptAmount } from '../ports/result-store.js';
import { assertHas, blobsOf } from './result-store-blob-samples.js';
import {
  assertGives,
  assertRejects,
  bytesOf,
  keyOf,
  METADATA,
  resultOf,
  streamed,
} from './result-store-samples.js';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';

/** After that time nobody is taken for a writer that is only slow. */
const LONG_MS = 30 * 24 * 60 * 60 * 1000;
/** So long a writer may pause, a few times. */
const PAUSE_MS = 2 * 60 * 60 * 1000;
const NOTHING = { items: 0, byteLength: 0 };
const SMALL = [10, 16];
const LARGE = [10, 700_000];

const litterCases: readonly StoreCase[] = [
  {
    id: 'result-store/sweeps/litter',
    title: 'sweeps up what writers that died have left, once it is old, and says how much',
    promise: 'store-sweeps',
    needs: needs.litter,
    run: async (given) => {
      const { store, litter, elapse } = given;
      await store.put(keyOf(1), resultOf(LARGE));
      await litter();
      await elapse(LONG_MS);
      const dry = await sweep(store, { dryRun: true });
      assert.ok(dry.items > 0, 'nothing of what was left is found');
      assert.ok(dry.byteLength > 0, 'what was left has bytes');
      assert.deepEqual(await sweep(store), dry, 'what goes is what was said');
      assert.deepEqual(await sweep(store), NOTHING, 'what is left then');
      await assertGives(store, keyOf(1), resultOf(LARGE));
    },
  },
];

export const sweepCases: readonly StoreCase[] = [
  {
    id: 'result-store/sweeps/old-results',
    title: 'sweeps up nothing that can be got, however old it is',
    promise: 'store-sweeps',
    run: async ({ store, elapse, can }) => {
      await store.put(keyOf(1), resultOf(SMALL));
      await store.put(keyOf(2), resultOf(LARGE));
      await store.pin(keyOf(2), true);
      const blobs = [bytesOf(10), bytesOf(700_000)];
      if (can.blobs) for (const bytes of blobs) await blobsOf(store).put(bytes);
      await elapse(LONG_MS);
      assert.deepEqual(await sweep(store), NOTHING);
      await assertGives(store, keyOf(1), resultOf(SMALL));
      await assertGives(store, keyOf(2), resultOf(LARGE));
      for await (const { key, pinned } of store.list())
        assert.equal(pinned, key === keyOf(2), 'what is pinned');
      if (can.blobs)
        for (const bytes of blobs) await assertHas((await blobsOf(store).put(bytes)).blob, bytes);
    },
  },
  {
    id: 'result-store/sweeps/being-put',
    title: 'sweeps up nothing of what is being put',
    promise: 'store-sweeps',
    run: async ({ store, open, elapse, can }) => {
      const other = await open();
      const bytes = bytesOf(12_000_000);
      const chunks = async function* (): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < bytes.byteLength; at += 1_000_000) {
          yield bytes.subarray(at, at + 1_000_000);
          if (at % 4_000_000 > 0) continue;
          await elapse(PAUSE_MS);
          assert.deepEqual(await sweep(other), NOTHING);
        }
      };
      assert.equal(await store.put(keyOf(1), streamed([bytes.byteLength], chunks)), 'stored');
      await assertGives(store, keyOf(1), { metadata: METADATA, body: resultOf([bytes.byteLength]).body });
      if (can.blobs) await assertHas((await blobsOf(store).put(chunks())).blob, bytes);
    },
  },
  {
    id: 'result-store/sweeps/held-lease',
    title: 'sweeps up no lease that is held',
    promise: 'store-sweeps',
    needs: needs.leases,
    run: async ({ store, elapse }) => {
      const lease = await store.leases?.acquire(keyOf(1), { holder: 'node-1', ttlMs: 3_600_000 });
      await elapse(1_800_000);
      assert.deepEqual(await sweep(store), NOTHING);
      assert.equal(await lease?.renew(), true);
    },
  },
  {
    id: 'result-store/sweeps/aborted-or-closed',
    title: 'sweeps up nothing when the signal was aborted before, or after close',
    promise: 'store-sweeps',
    run: async ({ store }) => {
      const reason = new Error('never wanted');
      await assert.rejects(sweep(store, { signal: AbortSignal.abort(reason) }), (error) => error === reason);
      await store.close();
      await assertRejects(sweep(store), 'STORE_CLOSED');
    },
  },
  ...litterCases,
];

async function sweep(store: ResultStore, options?: SweepOptions): Promise<SweptAmount> {
  const swept = await store.sweep?.(options);
  assert.ok(swept, 'the store has no sweep');
  return swept;
}
