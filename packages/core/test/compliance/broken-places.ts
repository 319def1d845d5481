import { EMPTY } from 'rxjs';
import type { StoredResult } from '../../src/model/result.ts';
import type { BlobStore } from '../../src/ports/blob-store.ts';
import type { Lease } from '../../src/ports/lease-store.ts';
import type { ResultEntry, ResultStore } from '../../src/ports/result-store.ts';
import { MemoryLeases } from './memory-leases.ts';
import { BROKEN_LEASES } from './broken-lease-stores.ts';
import type { MemoryPlace, PlaceBreakage } from './memory-place.ts';

type Broken = readonly (readonly [what: string, promise: string, breakage: PlaceBreakage])[];
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
    'lists a result as pinned from its pin to its unpin',
    (sound) => listing(sound, (entry) => ({ ...entry, pinned: false })),
  ],
  [
    'always says that there was something to pin',
    'says when there was nothing to pin or to unpin',
    (sound) => ({ pin: (key, pinned) => sound.pin(key, pinned).then(() => true) }),
  ],
  [
    'says of a second pin that there was nothing',
    'pins and unpins as often as it is asked, and says the same',
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
    'gives a pinned result as any other, also once it is unpinned',
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
    'forgets a pin with the result that was pinned',
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
    'refuses to pin a key that is not 64 lower-case hex digits',
    (sound) => ({ pin: (key, pinned) => sound.pin(key.toLowerCase(), pinned) }),
  ],
  [
    'pins after close',
    'pins nothing after close',
    (_, place) => ({ pin: (key, pinned) => place.results.pin(key, pinned) }),
  ],
  [
    'unpins everything as it closes',
    'still knows what is pinned when the place is opened again',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { key } of place.results.list()) await place.results.pin(key, false);
      },
    }),
  ],
  [
    'keeps its pins to itself',
    'shows another store on the place what is pinned',
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
    'lists when each blob was put',
    blobbing((_, place) => listedAt(place, () => Number.NaN)),
  ],
  [
    'says of all blobs that they were put at the same time',
    'lists blobs that were put later as put later',
    blobbing((_, place) => listedAt(place, () => 0)),
  ],
  [
    'remembers when blobs were put first',
    'lists a blob as put when it was put last, though it was there',
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
    'does not count a get of a blob as a put',
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
    'still has its results when the place is opened again',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { key } of place.results.list()) await place.results.delete(key);
      },
    }),
  ],
  [
    'loses its blobs as it closes',
    'still has its blobs when the place is opened again',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        for await (const { digest } of place.blobs.list()) await place.blobs.delete(digest);
      },
    }),
  ],
  [
    'does not see what another has put',
    'shows another store on the place what was put',
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
    'shows another store on the place what was deleted',
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
    'lets exactly one of many writers on two stores win',
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
    'goes on when another store on the place is closed',
    (sound, place) => ({
      close: async () => {
        await sound.close();
        await place.results.close();
      },
    }),
  ],
  [
    'sees no blob that another has put',
    'shows another store on the place what blobs were put and deleted',
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
    'holds a lease against another store on the place',
    (_, place) => ({ leases: new MemoryLeases(place.clock) }),
  ],
  [
    'asks the others only a moment later who has a lease',
    'gives a lease to exactly one of many on two stores',
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
  [
    'puts a damaged result aside in silence',
    'counts a damaged result as a miss and tells of it',
    () => ({ events$: EMPTY }),
  ],
  [
    'keeps what was damaged',
    'keeps a new result in place of a damaged one',
    (sound, place) => ({
      put: async (key, result, options) => {
        const outcome = await sound.put(key, result, options);
        return place.everDamaged.has(key) ? 'present' : outcome;
      },
    }),
  ],
];

/** What is wrong, the promise that it breaks, and how. Some break others as well. */
export const BROKEN_PLACES: Broken = [...PINS, ...BROKEN_LEASES, ...BLOB_TIMES, ...PLACES, ...DAMAGE];
