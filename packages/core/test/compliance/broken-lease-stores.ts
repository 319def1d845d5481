import type { Lease, LeaseStore } from '../../src/ports/lease-store.ts';
import type { MemoryPlace, PlaceBreakage } from './memory-place.ts';

type Terms = Parameters<LeaseStore['acquire']>[1];

/** A store whose leases are given in a wrong way. */
function leasing(
  acquire: (key: string, terms: Terms, place: MemoryPlace) => Promise<Lease | undefined>,
): PlaceBreakage {
  return (sound, place) => ({
    leases: {
      acquire: async (key, terms) => {
        // Whatever is wrong, a closed store says so.
        await sound.has('a'.repeat(64));
        return acquire(key, terms, place);
      },
    },
  });
}

/** A store whose leases are what `change` makes of sound ones. */
function withLease(change: (lease: Lease, key: string, place: MemoryPlace) => Lease): PlaceBreakage {
  return leasing(async (key, terms, place) => {
    const lease = await place.leases.acquire(key, terms);
    return lease && change(lease, key, place);
  });
}

/** What is wrong with how leases are given, the case that finds it, and how. */
export const BROKEN_LEASES: readonly (readonly [what: string, id: string, breakage: PlaceBreakage])[] = [
  [
    'gives a lease to everybody',
    'result-store/leases/first',
    leasing(async (key, { signal, ttlMs }, place) => {
      signal?.throwIfAborted();
      return place.leases.take(key, ttlMs);
    }),
  ],
  [
    'never takes a lease back',
    'result-store/leases/released',
    withLease((lease) => ({ ...lease, release: async () => {} })),
  ],
  [
    'has one lease for all keys',
    'result-store/leases/keys-apart',
    leasing((key, terms, place) =>
      place.leases.acquire(/^[0-9a-f]{64}$/.test(key) ? 'a'.repeat(64) : key, terms),
    ),
  ],
  [
    'looks who has a lease, waits, and then takes it',
    'result-store/leases/race',
    leasing(async (key, terms, place) => {
      const isFree = !place.leases.held.has(key);
      await Promise.resolve();
      return isFree ? place.leases.take(key, terms.ttlMs) : undefined;
    }),
  ],
  [
    'renews a lease once',
    'result-store/leases/renewed',
    withLease((lease) => {
      let renewed = 0;
      return { ...lease, renew: async () => (await lease.renew()) && (renewed += 1) < 2 };
    }),
  ],
  [
    'always says that it renewed',
    'result-store/leases/released-not-renewed',
    withLease((lease) => ({ ...lease, renew: async () => (await lease.renew()) || true })),
  ],
  [
    'takes a lease from whoever has it when it is given back',
    'result-store/leases/released-twice',
    withLease((lease, key, place) => ({
      ...lease,
      release: async () => void place.leases.held.delete(key),
    })),
  ],
  [
    'keeps a result under the key of a lease',
    'result-store/leases/no-result',
    (sound, place) => ({
      has: async (key) => (await sound.has(key)) || place.leases.held.has(key),
    }),
  ],
  [
    'refuses holders without a name',
    'result-store/leases/any-holder',
    leasing(async (key, terms, place) =>
      terms.holder === '' ? undefined : place.leases.acquire(key, terms),
    ),
  ],
  [
    'takes a lease that is not wanted',
    'result-store/leases/aborted-before',
    leasing(async (key, { signal, ...terms }, place) => {
      const lease = await place.leases.acquire(key, terms);
      signal?.throwIfAborted();
      return lease;
    }),
  ],
  [
    'gives leases of upper-case keys',
    'result-store/leases/invalid-key',
    leasing((key, terms, place) => place.leases.acquire(key.toLowerCase(), terms)),
  ],
  ['gives leases after close', 'result-store/leases/closed', (_, place) => ({ leases: place.leases })],
  [
    'never lets a lease run out',
    'result-store/leases/ran-out',
    leasing(async (key, terms, place) => {
      if (place.leases.held.has(key)) terms.signal?.throwIfAborted();
      return place.leases.held.has(key) ? undefined : place.leases.acquire(key, terms);
    }),
  ],
  [
    'gives a lease that ran out to everybody who sees it so',
    'result-store/leases/ran-out-race',
    leasing(async (key, terms, place) => {
      const ranOut = (place.leases.held.get(key)?.until ?? Infinity) <= place.now;
      await Promise.resolve();
      return ranOut ? place.leases.take(key, terms.ttlMs) : place.leases.acquire(key, terms);
    }),
  ],
  [
    'makes nothing last longer by renewing it',
    'result-store/leases/kept-by-renewal',
    withLease((lease, key, place) => {
      const held = place.leases.held.get(key);
      return {
        ...lease,
        renew: async () => held !== undefined && held === place.leases.held.get(key),
      };
    }),
  ],
  [
    'renews nothing that ran out',
    'result-store/leases/renewed-late',
    withLease((lease, key, place) => ({
      ...lease,
      renew: async () => (place.leases.held.get(key)?.until ?? 0) > place.now && lease.renew(),
    })),
  ],
  [
    'takes a lease away when it is given back late',
    'result-store/leases/released-late',
    withLease((lease, key, place) => {
      let isHeld = true;
      return {
        ...lease,
        release: async () => {
          if (isHeld) place.leases.held.delete(key);
          isHeld = false;
        },
      };
    }),
  ],
  [
    'goes by the time that who asks wants',
    'result-store/leases/ttl-of-holder',
    leasing(async (key, terms, place) => {
      const held = place.leases.held.get(key);
      if (held && held.until - held.ttlMs + terms.ttlMs <= place.now) place.leases.held.delete(key);
      return place.leases.acquire(key, terms);
    }),
  ],
];
