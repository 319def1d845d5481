import assert from 'node:assert/strict';
import type { Lease, LeaseStore } from '../ports/lease-store.js';
import type { ResultStore } from '../ports/result-store.js';
import type { StoreCase } from './result-store-subject.js';
import * as needs from './result-store-needs.js';
import { assertRejects, keyOf, listOf, resultOf } from './result-store-samples.js';

const KEY = keyOf(9);
/** The shortest that may be asked for. */
const TTL_MS = 1_000;
/** Long enough for any rounding of times and difference of clocks. */
const RUN_OUT_MS = TTL_MS + 4_000;
const TERMS = { holder: 'node-1', ttlMs: 60_000 };
const SHORT = { holder: 'node-1', ttlMs: TTL_MS };
const ASKERS = 10;

const timeCases: readonly StoreCase[] = [
  {
    id: 'result-store/leases/ran-out',
    title: 'lets another have a lease that was not renewed in time, and tells who had it',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const lost = await taken(store, KEY, SHORT);
      await elapse(RUN_OUT_MS);
      const lease = await taken(store, KEY);
      assert.equal(await lost.renew(), false);
      assert.equal(await lease.renew(), true);
    },
  },
  {
    id: 'result-store/leases/ran-out-race',
    title: 'gives a lease that ran out to exactly one of many',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      await taken(store, KEY, SHORT);
      await elapse(RUN_OUT_MS);
      await oneOfMany([store]);
    },
  },
  {
    id: 'result-store/leases/kept-by-renewal',
    title: 'keeps a lease as long as it is renewed in time',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const lease = await taken(store, KEY, { ...SHORT, ttlMs: 10 * TTL_MS });
      for (let round = 0; round < 4; round += 1) {
        await elapse(RUN_OUT_MS);
        assert.equal(await lease.renew(), true);
      }
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
    },
  },
  {
    id: 'result-store/leases/renewed-late',
    title: 'renews a lease late when nobody has taken it',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const lease = await taken(store, KEY, SHORT);
      await elapse(RUN_OUT_MS);
      assert.equal(await lease.renew(), true);
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
    },
  },
  {
    id: 'result-store/leases/released-late',
    title: 'takes nothing from who has a lease when it is given back late',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      const lost = await taken(store, KEY, SHORT);
      await elapse(RUN_OUT_MS);
      const lease = await taken(store, KEY);
      await lost.release();
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
      assert.equal(await lease.renew(), true);
    },
  },
  {
    id: 'result-store/leases/ttl-of-holder',
    title: 'lets a lease last as long as who holds it said, whatever who asks says',
    promise: 'store-leases',
    needs: needs.elapse,
    run: async ({ store, elapse }) => {
      await taken(store, KEY, TERMS);
      await elapse(RUN_OUT_MS);
      assert.equal(await leasesOf(store).acquire(KEY, SHORT), undefined);
    },
  },
];

const sharedCases: readonly StoreCase[] = [
  {
    id: 'result-store/leases/held-against-other',
    title: 'holds a lease against another store on the place',
    promise: 'store-leases',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const other = await open();
      const lease = await taken(store, KEY);
      assert.equal(await leasesOf(other).acquire(KEY, TERMS), undefined);
      await lease.release();
      await taken(other, KEY);
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
    },
  },
  {
    id: 'result-store/leases/race-on-two',
    title: 'gives a lease to exactly one of many on two stores',
    promise: 'store-leases',
    needs: needs.shared,
    run: async ({ store, open }) => {
      const stores = [store, await open()];
      for (let round = 0; round < 3; round += 1) await (await oneOfMany(stores)).release();
    },
  },
];

export const leaseCases: readonly StoreCase[] = [
  {
    id: 'result-store/leases/first',
    title: 'gives a lease to whoever asks first, and to nobody else while it is held',
    promise: 'store-leases',
    run: async ({ store }) => {
      await taken(store, KEY);
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined, 'asked by the same holder');
      const other = { ...TERMS, holder: 'node-2' };
      assert.equal(await leasesOf(store).acquire(KEY, other), undefined, 'asked by another holder');
    },
  },
  {
    id: 'result-store/leases/released',
    title: 'gives a lease again once it was given back',
    promise: 'store-leases',
    run: async ({ store }) => {
      for (let round = 0; round < 5; round += 1) await (await taken(store, KEY)).release();
      await taken(store, KEY);
    },
  },
  {
    id: 'result-store/leases/keys-apart',
    title: 'keeps the leases of different keys apart',
    promise: 'store-leases',
    run: async ({ store }) => {
      const leases = [
        await taken(store, keyOf(1)),
        await taken(store, keyOf(2)),
        await taken(store, keyOf(3)),
      ];
      await leases[1]?.release();
      assert.equal(await leasesOf(store).acquire(keyOf(1), TERMS), undefined);
      assert.equal(await leasesOf(store).acquire(keyOf(3), TERMS), undefined);
      await taken(store, keyOf(2));
    },
  },
  {
    id: 'result-store/leases/race',
    title: 'gives a lease to exactly one of many that ask at once',
    promise: 'store-leases',
    run: async ({ store }) => {
      for (let round = 0; round < 3; round += 1) await (await oneOfMany([store])).release();
    },
  },
  {
    id: 'result-store/leases/renewed',
    title: 'renews a lease that is held, as often as it is asked',
    promise: 'store-leases',
    run: async ({ store }) => {
      const lease = await taken(store, KEY);
      for (let round = 0; round < 5; round += 1) assert.equal(await lease.renew(), true);
      assert.deepEqual(await Promise.all([lease.renew(), lease.renew()]), [true, true]);
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
    },
  },
  {
    id: 'result-store/leases/released-not-renewed',
    title: 'renews nothing that was given back, also when somebody else has it by then',
    promise: 'store-leases',
    run: async ({ store }) => {
      const lease = await taken(store, KEY);
      await lease.release();
      assert.equal(await lease.renew(), false, 'when nobody has it');
      await taken(store, KEY);
      assert.equal(await lease.renew(), false, 'when somebody else has it');
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined);
    },
  },
  {
    id: 'result-store/leases/released-twice',
    title: 'may be given back twice, which takes nothing from who has it by then',
    promise: 'store-leases',
    run: async ({ store }) => {
      const lease = await taken(store, KEY);
      await Promise.all([lease.release(), lease.release()]);
      const next = await taken(store, KEY);
      await lease.release();
      assert.equal(await leasesOf(store).acquire(KEY, TERMS), undefined, 'it was taken away');
      assert.equal(await next.renew(), true);
    },
  },
  {
    id: 'result-store/leases/no-result',
    title: 'needs no result for a lease, and leaves none',
    promise: 'store-leases',
    run: async ({ store }) => {
      const lease = await taken(store, KEY);
      await lease.renew();
      assert.equal(await store.has(KEY), false);
      assert.deepEqual(await listOf(store), []);
      assert.equal(await store.put(KEY, resultOf([10])), 'stored');
      await lease.release();
      assert.equal(await store.has(KEY), true, 'after release');
      await store.delete(KEY);
      await taken(store, KEY);
    },
  },
  {
    id: 'result-store/leases/any-holder',
    title: 'takes any text as the name of a holder',
    promise: 'store-leases',
    run: async ({ store }) => {
      for (const [at, holder] of ['', 'zürich "1"\n\0', 'x'.repeat(10_000), '../..'].entries()) {
        const lease = await leasesOf(store).acquire(keyOf(at), { ...TERMS, holder });
        assert.equal(await lease?.renew(), true, JSON.stringify(holder.slice(0, 20)));
      }
    },
  },
  {
    id: 'result-store/leases/aborted-before',
    title: 'takes no lease when the signal was aborted before',
    promise: 'store-leases',
    run: async ({ store }) => {
      const reason = new Error('never wanted');
      const asked = leasesOf(store).acquire(KEY, { ...TERMS, signal: AbortSignal.abort(reason) });
      await assert.rejects(asked, (error) => error === reason);
      await taken(store, KEY);
    },
  },
  {
    id: 'result-store/leases/invalid-key',
    title: 'refuses a lease of a key that is not 64 lower-case hex digits',
    promise: 'store-refuses-keys',
    run: async ({ store }) => {
      for (const key of ['', 'A'.repeat(64), '../'.repeat(21) + 'a', `${'a'.repeat(63)}\0`])
        await assertRejects(leasesOf(store).acquire(key, TERMS), 'STORE_KEY_INVALID');
    },
  },
  {
    id: 'result-store/leases/closed',
    title: 'gives no lease after close',
    promise: 'store-closes',
    run: async ({ store }) => {
      await (await taken(store, KEY)).release();
      await store.close();
      await assertRejects(leasesOf(store).acquire(KEY, TERMS), 'STORE_CLOSED');
    },
  },
  ...timeCases,
  ...sharedCases,
];

function leasesOf({ leases }: ResultStore): LeaseStore {
  assert.ok(leases, 'the store has no leases');
  return leases;
}

/** The lease of a key that is to be had. */
async function taken(store: ResultStore, key: string, terms = TERMS): Promise<Lease> {
  const lease = await leasesOf(store).acquire(key, terms);
  assert.ok(lease, 'a lease that nobody holds was not given');
  return lease;
}

/** Fails unless exactly one of many that ask for a lease at once gets it. */
async function oneOfMany(stores: readonly ResultStore[]): Promise<Lease> {
  const asked = stores.flatMap((store) =>
    Array.from({ length: ASKERS }, (_, at) =>
      leasesOf(store).acquire(KEY, { ...TERMS, holder: `node-${at}` }),
    ),
  );
  const held = (await Promise.all(asked)).filter((lease) => lease !== undefined);
  assert.equal(held.length, 1, 'how many got the lease');
  const [lease] = held;
  assert.equal(await lease?.renew(), true, 'whether who got it has it');
  return lease as Lease;
}
