import assert from 'node:assert/strict';
import type { BlobEntry, BlobStore } from '../ports/blob-store.js';
import { blobsOf, digestOf, inChunks } from './result-store-blob-samples.js';
import { bytesOf } from './result-store-samples.js';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';

/** Longer than the second to which times are told. */
const LATER_MS = 5_000;
/** What rounding may hide. */
const ROUNDING_MS = 1_000;

export const blobTimeCases: readonly StoreCase[] = [
  {
    id: 'result-store/blob-times/listed',
    title: 'lists when each blob was put',
    promise: 'store-blob-times',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      await blobs.put(bytesOf(300_000));
      await blobs.put(inChunks(bytesOf(10), 3));
      const entries = await entriesOf(blobs);
      assert.equal(entries.length, 2);
      for (const { putAt } of entries) {
        assert.ok(Number.isFinite(putAt) && putAt >= 0, `putAt is ${putAt}`);
      }
      const [first = 0, second = 0] = entries.map(({ putAt }) => putAt);
      assert.ok(Math.abs(first - second) < 60_000, `${first} and ${second} were put one after the other`);
    },
  },
  {
    id: 'result-store/blob-times/later',
    title: 'lists blobs that were put later as put later',
    promise: 'store-blob-times',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const blobs = blobsOf(store);
      await blobs.put(bytesOf(10, 1));
      await elapse(LATER_MS);
      await blobs.put(bytesOf(10, 2));
      const between = (await putAtOf(blobs, bytesOf(10, 2))) - (await putAtOf(blobs, bytesOf(10, 1)));
      assert.ok(between >= LATER_MS - ROUNDING_MS, `${between} ms lie between them`);
    },
  },
  {
    id: 'result-store/blob-times/put-again',
    title: 'lists a blob as put when it was put last, though it was there',
    promise: 'store-blob-times',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(300_000);
      const digest = digestOf(bytes);
      await blobs.put(bytes);
      const again = [
        () => blobs.put(bytes),
        () => blobs.put(bytes, { digest }),
        () => blobs.put(inChunks(bytes, 100_000)),
        () => blobs.put(inChunks(bytes, 100_000), { digest }),
      ];
      for (const [way, put] of again.entries()) {
        const before = await putAtOf(blobs, bytes);
        await elapse(LATER_MS);
        assert.equal((await put()).outcome, 'present');
        const later = (await putAtOf(blobs, bytes)) - before;
        assert.ok(later >= LATER_MS - ROUNDING_MS, `put again in way ${way}, it is ${later} ms younger`);
      }
    },
  },
  {
    id: 'result-store/blob-times/got',
    title: 'does not count a get of a blob as a put',
    promise: 'store-blob-times',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(1000);
      await blobs.put(bytes);
      const before = await putAtOf(blobs, bytes);
      await elapse(LATER_MS);
      const blob = await blobs.get(digestOf(bytes));
      for await (const chunk of blob?.chunks() ?? []) assert.ok(chunk.byteLength <= 1000);
      assert.ok((await putAtOf(blobs, bytes)) - before < ROUNDING_MS);
    },
  },
];

async function entriesOf(blobs: BlobStore): Promise<BlobEntry[]> {
  const entries: BlobEntry[] = [];
  for await (const entry of blobs.list()) entries.push(entry);
  return entries;
}

async function putAtOf(blobs: BlobStore, bytes: Uint8Array): Promise<number> {
  const entry = (await entriesOf(blobs)).find(({ digest }) => digest === digestOf(bytes));
  assert.ok(entry, 'a blob that was put is not listed');
  return entry.putAt;
}
