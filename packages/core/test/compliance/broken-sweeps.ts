import type { SweptAmount } from '../../src/ports/result-store.ts';
import type { MemoryPlace, PlaceBreakage } from './memory-place.ts';

const NOTHING: SweptAmount = { items: 0, byteLength: 0 };
/** How many puts are under way on a place. */
const puts = new WeakMap<MemoryPlace, number>();

/** What is wrong, the case that finds it, and how. */
export const BROKEN_SWEEPS: readonly (readonly [what: string, id: string, breakage: PlaceBreakage])[] = [
  [
    'sweeps up old results',
    'result-store/sweeps/old-results',
    (sound) => ({
      async sweep(options) {
        for await (const { key, pinned } of sound.list()) if (!pinned) await sound.delete(key);
        return (await sound.sweep?.(options)) ?? NOTHING;
      },
    }),
  ],
  [
    'takes who pauses for dead',
    'result-store/sweeps/being-put',
    (sound, place) => ({
      async put(...args) {
        puts.set(place, (puts.get(place) ?? 0) + 1);
        return sound.put(...args);
      },
      sweep: async () => ({ items: puts.get(place) ?? 0, byteLength: 0 }),
    }),
  ],
  [
    'sweeps up every lease',
    'result-store/sweeps/held-lease',
    (sound, place) => {
      let isSwept = false;
      return {
        leases: {
          async acquire(key, terms) {
            const lease = await place.leases.acquire(key, terms);
            return lease && { ...lease, renew: async () => !isSwept && lease.renew() };
          },
        },
        async sweep(options) {
          isSwept = true;
          return (await sound.sweep?.(options)) ?? NOTHING;
        },
      };
    },
  ],
  [
    'sweeps after it was closed',
    'result-store/sweeps/aborted-or-closed',
    () => ({
      async sweep(options) {
        options?.signal?.throwIfAborted();
        return NOTHING;
      },
    }),
  ],
  [
    'removes what it is only to look at',
    'result-store/sweeps/litter',
    (sound) => ({ sweep: async () => (await sound.sweep?.()) ?? NOTHING }),
  ],
];
