import { EMPTY } from 'rxjs';
import type { StoredResult } from '../../src/model/result.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Lease } from '../../src/ports/lease-store.ts';
import type { ResultEntry, ResultStore } from '../../src/ports/result-store.ts';
import { MemoryLeases } from './memory-leases.ts';
import { BROKEN_LEASES } from './broken-lease-stores.ts';
import type { MemoryPlace, PlaceBreakage } from './memory-place.ts';

type Broken = readonly (readonly [what: string, id: string, breakage: PlaceBreakage])[];
type Terms = Parameters<NonNullable<ResultStore['leases']>['acquire']>[1];

/** A store that lists what `change` makes of an entry. */
function listing(sound: ResultStore, change: (entry: ResultEntry) => ResultEntry): Partial<ResultStore> {
  return {
    async *list() {
      for await (const entry of sound.list()) yield change(entry);
    },
  };
}

const PINS: Broken = [
  [
    'pins nothing',
    'result-store/pins/listed',
    (sound) => listing(sound, (entry) => ({ ...entry, pinned: false })),
  ],
  [
    'always says that there was something to pin',
    'result-store/pins/nothing-to-pin',
    (sound) => ({ pin: (key, pinned) => sound.pin(key, pinned).then(() => true) }),
  ],
  [
    'says of a second pin that there was nothing',
    'result-store/pins/repeated',
    (sound) => {
      const pins = new Set<string>();
      return {
        pin: async (key, pinned) => {
          const changes = pins.has(key) !== pinned;
          if (pinned) pins.add(key);
          else pins.delete(key);
          return (await sound.pin(key, pinned)) && (changes || pinned);
        },
      };
    },
  ],
  [
    'lists a pinned result twice',
    'result-store/pins/read',
    (sound) => ({
      async *list() {
        for await (const entry of sound.list()) {
          yield entry;
          if (entry.pinned && entry.byteLength > 1000) yield { ...entry, pinned: false };
        }
      },
    }),
  ],
  [
    'keeps a pin when its result goes',
    'result-store/pins/deleted',
    (sound) => {
      const pins = new Set<string>();
      return {
        ...listing(sound, (entry) => ({ ...entry, pinned: entry.pinned || pins.has(entry.key) })),
        pin: async (key, pinned) => {
          const there = await sound.pin(key, pinned);
          if (there && pinned) pins.add(key);
          else pins.delete(key);
          return there;
        },
      };
    },
  ],
  [
    'pins upper-case keys',
    'result-store/pins/invalid-key',
    (sound) => ({ pin: (key, pinned) => sound.pin(key.toLowerCase(), pinned) }),
  ],
  [
    'pins after close',
    'result-store/pins/closed',
    (_, place) => ({ pin: (key, pinned) => place.results.pin(key, pinned) }),
  ],
  [
    'unpins everything as it closes',
    'result-store/pins/reopened',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { key } of place.results.list()) await place.results.pin(key, false);
      },
    }),
  ],
  [
    'keeps its pins to itself',
    'result-store/pins/seen-by-other',
    (sound) => {
      const own = new Set<string>();
      return {
        ...listing(sound, (entry) => ({ ...entry, pinned: entry.pinned && own.has(entry.key) })),
        pin: (key, pinned) => {
          own.add(key);
          return sound.pin(key, pinned);
        },
      };
    },
  ],
];

/** A store that lists what `change` makes of the time when a blob was put. */
function listedAt(place: MemoryPlace, change: (putAt: number) => number): Partial<BlobStore> {
  return {
    async *list() {
      for await (const entry of place.blobs.list()) yield { ...entry, putAt: change(entry.putAt) };
    },
  };
}

/** A store whose blobs are kept in a wrong way. */
function blobbing(breakage: (sound: BlobStore, place: MemoryPlace) => Partial<BlobStore>): PlaceBreakage {
  return (sound, place) => {
    const { blobs } = sound;
    return blobs ? { blobs: { ...blobs, ...breakage(blobs, place) } } : {};
  };
}

const BLOB_TIMES: Broken = [
  [
    'does not know when blobs were put',
    'result-store/blob-times/listed',
    blobbing((_, place) => listedAt(place, () => Number.NaN)),
  ],
  [
    'says of all blobs that they were put at the same time',
    'result-store/blob-times/later',
    blobbing((_, place) => listedAt(place, () => 0)),
  ],
  [
    'remembers when blobs were put first',
    'result-store/blob-times/put-again',
    blobbing((sound, place) => {
      const first = new Map<string, number>();
      return {
        put: async (...args) => {
          const kept = await sound.put(...args);
          const { digest } = kept.blob;
          first.set(digest, first.get(digest) ?? place.now);
          place.blobs.setPutAt(digest, first.get(digest) ?? place.now);
          return kept;
        },
      };
    }),
  ],
  [
    'takes a get for a put',
    'result-store/blob-times/got',
    blobbing((sound, place) => ({
      get: async (...args) => {
        const blob = await sound.get(...args);
        if (blob) place.blobs.setPutAt(blob.digest, place.now);
        return blob;
      },
    })),
  ],
];

/** Stores that do not know of each other, or forget. */
const PLACES: Broken = [
  [
    'loses its results as it closes',
    'result-store/places/reopened',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { key } of place.results.list()) await place.results.delete(key);
      },
    }),
  ],
  [
    'loses its blobs as it closes',
    'result-store/blob-places/reopened',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { digest } of place.blobs.list()) await place.blobs.delete(digest);
      },
    }),
  ],
  [
    'does not see what another has put',
    'result-store/places/seen-by-other',
    (sound) => {
      const misses = new Set<string>();
      return {
        get: async (key, options) => {
          const found = misses.has(key) ? undefined : await sound.get(key, options);
          if (!found) misses.add(key);
          return found;
        },
        put: (key, result, options) => {
          misses.delete(key);
          return sound.put(key, result, options);
        },
      };
    },
  ],
  [
    'keeps copies, and does not say so',
    'result-store/places/deleted-by-other',
    (sound) => {
      const own = new Map<string, StoredResult>();
      return {
        put: async (key, result, options) => {
          const outcome = await sound.put(key, result, options);
          const kept = await sound.get(key);
          if (kept) own.set(key, kept);
          return outcome;
        },
        get: async (key, options) => (await sound.get(key, options)) ?? own.get(key),
        delete: (key) => {
          own.delete(key);
          return sound.delete(key);
        },
      };
    },
  ],
  [
    'goes by what it has put itself when it says stored',
    'result-store/places/race-on-two',
    (sound) => {
      const own = new Set<string>();
      return {
        put: async (key, result, options) => {
          const outcome = await sound.put(key, result, options);
          if (outcome === 'present' && own.has(key)) return outcome;
          own.add(key);
          return 'stored';
        },
      };
    },
  ],
  [
    'closes the place for everybody',
    'result-store/places/other-closes',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        await place.results.close();
      },
    }),
  ],
  [
    'sees no blob that another has put',
    'result-store/blob-places/seen-by-other',
    blobbing((sound) => {
      const own = new Set<string>();
      return {
        put: async (...args) => {
          const kept = await sound.put(...args);
          own.add(kept.blob.digest);
          return kept;
        },
        get: async (digest, options) => {
          const blob = await sound.get(digest, options);
          return own.has(digest) ? blob : undefined;
        },
      };
    }),
  ],
  [
    'keeps its leases to itself',
    'result-store/leases/held-against-other',
    (_, place) => ({ leases: new MemoryLeases(place.clock) }),
  ],
  [
    'asks the others only a moment later who has a lease',
    'result-store/leases/race-on-two',
    (_, place) => {
      const own = new MemoryLeases(place.clock);
      const acquire = async (key: string, terms: Terms): Promise<Lease | undefined> => {
        const free = !place.leases.held.has(key);
        const lease = await own.acquire(key, terms);
        if (!lease || !free) return undefined;
        place.leases.take(key, terms.ttlMs);
        return { ...lease, release: async () => void (await lease.release(), place.leases.held.delete(key)) };
      };
      return { leases: { acquire } };
    },
  ],
];

const DAMAGE: Broken = [
  ['puts a damaged result aside in silence', 'result-store/places/damaged', () => ({ events$: EMPTY })],
  [
    'keeps what was damaged',
    'result-store/places/replaces-damaged',
    (sound, place) => ({
      put: async (key, result, options) => {
        const outcome = await sound.put(key, result, options);
        return place.everDamaged.has(key) ? 'present' : outcome;
      },
    }),
  ],
];

/** What is wrong, the case that finds it, and how. Some break others as well. */
export const BROKEN_PLACES: Broken = [...PINS, ...BROKEN_LEASES, ...BLOB_TIMES, ...PLACES, ...DAMAGE];
