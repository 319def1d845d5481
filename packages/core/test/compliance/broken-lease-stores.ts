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

/** What is wrong with how leases are given, the promise that it breaks, and how. */
export const BROKEN_LEASES: readonly (readonly [what: string, promise: string, breakage: PlaceBreakage])[] = [
  [
    'gives a lease to everybody',
    'gives a lease to whoever asks first, and to nobody else while it is held',
    leasing(async (key, { signal, ttlMs }, place) => {
      signal?.throwIfAborted();
      return place.leases.take(key, ttlMs);
    }),
  ],
  [
    'never takes a lease back',
    'gives a lease again once it was given back',
    withLease((lease) => ({ ...lease, release: async () => {} })),
  ],
  [
    'has one lease for all keys',
    'keeps the leases of different keys apart',
    leasing((key, terms, place) =>
      place.leases.acquire(/^[0-9a-f]{64}$/.test(key) ? 'a'.repeat(64) : key, terms),
    ),
  ],
  [
    'looks who has a lease, waits, and then takes it',
    'gives a lease to exactly one of many that ask at once',
    leasing(async (key, terms, place) => {
      const isFree = !place.leases.held.has(key);
      await Promise.resolve();
      return isFree ? place.leases.take(key, terms.ttlMs) : undefined;
    }),
  ],
  [
    'renews a lease once',
    'renews a lease that is held, as often as it is asked',
    withLease((lease) => {
      let renewed = 0;
      return { ...lease, renew: async () => (await lease.renew()) && (renewed += 1) < 2 };
    }),
  ],
  [
    'always says that it renewed',
    'renews nothing that was given back, also when somebody else has it by then',
    withLease((lease) => ({ ...lease, renew: async () => (await lease.renew()) || true })),
  ],
  [
    'takes a lease from whoever has it when it is given back',
    'may be given back twice, which takes nothing from who has it by then',
    withLease((lease, key, place) => ({
      ...lease,
      release: async () => void place.leases.held.delete(key),
    })),
  ],
  [
    'keeps a result under the key of a lease',
    'needs no result for a lease, and leaves none',
    (sound, place) => ({
      has: async (key) => (await sound.has(key)) || place.leases.held.has(key),
    }),
  ],
  [
    'refuses holders without a name',
    'takes any text as the name of a holder',
    leasing(async (key, terms, place) =>
      terms.holder === '' ? undefined : place.leases.acquire(key, terms),
    ),
  ],
  [
    'takes a lease that is not wanted',
    'takes no lease when the signal was aborted before',
    leasing(async (key, { signal, ...terms }, place) => {
      const lease = await place.leases.acquire(key, terms);
      signal?.throwIfAborted();
      return lease;
    }),
  ],
  [
    'gives leases of upper-case keys',
    'refuses a lease of a key that is not 64 lower-case hex digits',
    leasing((key, terms, place) => place.leases.acquire(key.toLowerCase(), terms)),
  ],
  ['gives leases after close', 'gives no lease after close', (_, place) => ({ leases: place.leases })],
  [
    'never lets a lease run out',
    'lets another have a lease that was not renewed in time, and tells who had it',
    leasing(async (key, terms, place) => {
      if (place.leases.held.has(key)) terms.signal?.throwIfAborted();
      return place.leases.held.has(key) ? undefined : place.leases.acquire(key, terms);
    }),
  ],
  [
    'gives a lease that ran out to everybody who sees it so',
    'gives a lease that ran out to exactly one of many',
    leasing(async (key, terms, place) => {
      const ranOut = (place.leases.held.get(key)?.until ?? Infinity) <= place.now;
      await Promise.resolve();
      return ranOut ? place.leases.take(key, terms.ttlMs) : place.leases.acquire(key, terms);
    }),
  ],
  [
    'makes nothing last longer by renewing it',
    'keeps a lease as long as it is renewed in time',
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
    'renews a lease late when nobody has taken it',
    withLease((lease, key, place) => ({
      ...lease,
      renew: async () => (place.leases.held.get(key)?.until ?? 0) > place.now && lease.renew(),
    })),
  ],
  [
    'takes a lease away when it is given back late',
    'takes nothing from who has a lease when it is given back late',
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
    'lets a lease last as long as who holds it said, whatever who asks says',
    leasing(async (key, terms, place) => {
      const held = place.leases.held.get(key);
      if (held && held.until - held.ttlMs + terms.ttlMs <= place.now) place.leases.held.delete(key);
      return place.leases.acquire(key, terms);
    }),
  ],
];
