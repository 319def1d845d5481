import assert from 'node:assert/strict';
import type { StoreCase } from './result-store-subject.js';
import {
  assertHas,
  assertNoBlob,
  blobsOf,
  digestOf,
  digestsIn,
  inChunks,
  readAll,
} from './result-store-blob-samples.js';
import { assertRejects, bytesOf, keyOf, resultOf } from './result-store-samples.js';

/** Around what stores, disks and networks cut into. */
const SIZES = [0, 1, 255, 4097, 65_536, 262_144, 1024 * 1024, 5 * 1024 * 1024 + 3];
const NO_DIGESTS = [
  '',
  'a'.repeat(63),
  'A'.repeat(64),
  `${'a'.repeat(64)}\n`,
  '../'.repeat(21) + 'a',
  `${'a'.repeat(63)}\0`,
];
/** How many other blobs are looked for, to give the store the time that ending an aborted put takes. */
const PATIENCE = 50;

const keepingCases: readonly StoreCase[] = [
  {
    id: 'result-store/blobs/sizes',
    title: 'gives back bytes of many sizes as they were put, from memory and in chunks',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      for (const size of SIZES) {
        const fromMemory = bytesOf(size, size + 1);
        const kept = await blobs.put(fromMemory);
        assert.equal(kept.outcome, 'stored');
        await assertHas(kept.blob, fromMemory);
        await assertHas(await blobs.get(digestOf(fromMemory)), fromMemory);
        // One more byte, so that there is something new to put.
        const streamed = bytesOf(size + 1, size + 100);
        const keptToo = await blobs.put(inChunks(streamed, 0, 1, 70_000, 300_000));
        assert.equal(keptToo.outcome, 'stored');
        await assertHas(keptToo.blob, streamed);
        await assertHas(await blobs.get(digestOf(streamed)), streamed);
      }
    },
  },
  {
    id: 'result-store/blobs/equal-bytes',
    title: 'keeps equal bytes once, and says that they were present',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(300_000);
      assert.equal((await blobs.put(bytes)).outcome, 'stored');
      for (const source of [bytes, Buffer.from(bytes), inChunks(bytes, 100_000)]) {
        const { blob, outcome } = await blobs.put(source);
        assert.equal(outcome, 'present');
        await assertHas(blob, bytes);
      }
      assert.deepEqual(await digestsIn(blobs), [digestOf(bytes)]);
    },
  },
  {
    id: 'result-store/blobs/known-digest',
    title: 'keeps bytes under the digest that the caller knows, and reads nothing of what is there',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(300_000);
      const digest = digestOf(bytes);
      assert.equal((await blobs.put(bytes, { digest })).outcome, 'stored');
      await assertHas(await blobs.get(digest), bytes);
      const other = bytesOf(5000, 2);
      assert.equal((await blobs.put(inChunks(other), { digest: digestOf(other) })).outcome, 'stored');
      await assertHas(await blobs.get(digestOf(other)), other);
      let asked = false;
      const source = (async function* () {
        asked = true;
        yield bytes;
      })();
      const kept = await blobs.put(source, { digest });
      assert.equal(kept.outcome, 'present');
      assert.equal(asked, false, 'the source was read');
      await assertHas(kept.blob, bytes);
    },
  },
  {
    id: 'result-store/blobs/race',
    title: 'says stored to exactly one of many that put equal bytes at once',
    promise: 'store-first-wins',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(200_000);
      const puts = Array.from({ length: 20 }, () => blobs.put(Uint8Array.from(bytes)));
      const outcomes = (await Promise.all(puts)).map(({ outcome }) => outcome);
      assert.deepEqual(outcomes.toSorted().reverse(), ['stored', ...Array<string>(19).fill('present')]);
      await assertHas(await blobs.get(digestOf(bytes)), bytes);
    },
  },
  {
    id: 'result-store/blobs/own-copy',
    title: 'keeps blobs of its own: what the caller does with the bytes after put changes nothing',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const memory = bytesOf(100_000);
      const digest = digestOf(memory);
      await blobs.put(memory);
      memory.fill(0);
      await assertHas(await blobs.get(digest), bytesOf(100_000));
    },
  },
  {
    id: 'result-store/blobs/apart-from-results',
    title: 'keeps blobs and results apart',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(1000);
      const digest = digestOf(bytes);
      await blobs.put(bytes);
      assert.equal(await store.has(digest), false);
      assert.ok((await store.get(digest)) === undefined, 'get gives a result where there is none');
      await store.put(keyOf(1), resultOf([10]));
      assert.deepEqual(await digestsIn(blobs), [digest]);
      assert.ok((await blobs.get(keyOf(1))) === undefined, 'get gives a blob where there is none');
    },
  },
];

const readingCases: readonly StoreCase[] = [
  {
    id: 'result-store/blobs/unknown',
    title: 'answers undefined for a blob that was never put',
    promise: 'store-blobs',
    run: async ({ store }) => {
      assert.ok((await blobsOf(store).get(digestOf(bytesOf(10)))) === undefined);
    },
  },
  {
    id: 'result-store/blobs/two-readers',
    title: 'lets a blob be read twice at once, and again',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const bytes = bytesOf(3_000_000);
      const { blob } = await blobsOf(store).put(bytes);
      await Promise.all([assertHas(blob, bytes), assertHas(blob, bytes)]);
      await assertHas(blob, bytes);
    },
  },
  {
    id: 'result-store/blobs/left-in-middle',
    title: 'may be left in the middle of a blob',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const bytes = bytesOf(3_000_000);
      const { blob } = await blobsOf(store).put(bytes);
      for (let reader = 0; reader < 20; reader += 1) {
        for await (const chunk of blob.chunks()) {
          assert.ok(chunk.byteLength <= bytes.byteLength);
          break;
        }
      }
      await assertHas(blob, bytes);
      assert.equal(await blobsOf(store).delete(blob.digest), true);
    },
  },
  {
    id: 'result-store/blobs/aborted-read',
    title: 'ends reading with the reason of the signal',
    promise: 'store-blobs',
    run: async ({ store }) => {
      const reason = new Error('no longer wanted');
      const { blob } = await blobsOf(store).put(bytesOf(3_000_000));
      await assert.rejects(readAll(blob, AbortSignal.abort(reason)), (error) => error === reason);
      const controller = new AbortController();
      const reading = (async () => {
        for await (const chunk of blob.chunks({ signal: controller.signal })) {
          assert.ok(chunk.byteLength > 0);
          controller.abort(reason);
        }
      })();
      // A blob of one chunk is read by then.
      await reading.catch((error: unknown) => assert.equal(error, reason));
      await assertHas(blob, bytesOf(3_000_000));
    },
  },
  {
    id: 'result-store/blobs/deleted',
    title: 'forgets a deleted blob, and says when there was nothing to delete',
    promise: 'store-lists',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(300_000);
      const { blob } = await blobs.put(bytes);
      assert.equal(await blobs.delete(blob.digest), true);
      assert.equal(await blobs.delete(blob.digest), false);
      await assertRejects(readAll(blob), 'CONTENT_MISSING');
      await assertNoBlob(blobs, bytes);
    },
  },
  {
    id: 'result-store/blobs/listed',
    title: 'lists every blob once, with its number of bytes',
    promise: 'store-lists',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      assert.deepEqual(await digestsIn(blobs), []);
      const contents = Array.from({ length: 50 }, (_, at) => bytesOf(at * 200, at + 1));
      await Promise.all(contents.map((bytes) => blobs.put(bytes)));
      const entries: { digest: string; byteLength: number }[] = [];
      for await (const { digest, byteLength } of blobs.list()) entries.push({ digest, byteLength });
      const expected = contents.map((bytes) => ({ digest: digestOf(bytes), byteLength: bytes.byteLength }));
      const byDigest = (a: { digest: string }, b: { digest: string }): number =>
        a.digest < b.digest ? -1 : 1;
      assert.deepEqual(entries.toSorted(byDigest), expected.toSorted(byDigest));
    },
  },
];

const refusingCases: readonly StoreCase[] = [
  {
    id: 'result-store/blobs/source-fails',
    title: 'passes on why a source failed in the middle, and keeps nothing of it',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(2_000_000);
      const reason = new Error('the source is gone');
      const failing = (async function* () {
        yield* inChunks(bytes, 100_000, 1_500_000);
        throw reason;
      })();
      await assert.rejects(blobs.put(failing), (error) => error === reason);
      await assertNoBlob(blobs, bytes);
    },
  },
  {
    id: 'result-store/blobs/aborted-while-stalled',
    title: 'gives up a put that is aborted while its source does not go on, and keeps nothing of it',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(100_000);
      const controller = new AbortController();
      const reason = new Error('no longer wanted');
      let begun!: () => void;
      const waits = new Promise<void>((resolve) => (begun = resolve));
      let goOn!: () => void;
      const stalled = new Promise<void>((resolve) => (goOn = resolve));
      const source = (async function* () {
        yield bytes;
        begun();
        await stalled;
      })();
      let outcome: unknown;
      const put = blobs.put(source, { signal: controller.signal }).then(
        () => (outcome = 'it resolved'),
        (error: unknown) => (outcome = error),
      );
      await Promise.race([waits, put]);
      controller.abort(reason);
      for (let other = 0; other < PATIENCE && outcome === undefined; other += 1)
        await blobs.get(keyOf(other));
      const inTime = outcome;
      goOn();
      await put;
      assert.equal(inTime, reason);
      await assertNoBlob(blobs, bytes);
    },
  },
  {
    id: 'result-store/blobs/aborted-before',
    title: 'keeps and gives no blob when the signal was aborted before',
    promise: 'store-atomic',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      const bytes = bytesOf(10);
      const reason = new Error('never wanted');
      const signal = AbortSignal.abort(reason);
      await assert.rejects(blobs.put(bytes, { signal }), (error) => error === reason);
      await assert.rejects(blobs.get(digestOf(bytes), { signal }), (error) => error === reason);
      await assertNoBlob(blobs, bytes);
    },
  },
  {
    id: 'result-store/blobs/invalid-digest',
    title: 'refuses a digest that is not 64 lower-case hex digits, whatever is asked',
    promise: 'store-refuses-keys',
    run: async ({ store }) => {
      const blobs = blobsOf(store);
      for (const digest of NO_DIGESTS) {
        await assertRejects(blobs.get(digest), 'STORE_KEY_INVALID');
        await assertRejects(blobs.put(bytesOf(10), { digest }), 'STORE_KEY_INVALID');
        await assertRejects(blobs.put(inChunks(bytesOf(10)), { digest }), 'STORE_KEY_INVALID');
        await assertRejects(blobs.delete(digest), 'STORE_KEY_INVALID');
      }
      assert.deepEqual(await digestsIn(blobs), []);
    },
  },
];

export const blobCases: readonly StoreCase[] = [...keepingCases, ...readingCases, ...refusingCases];
