import { describe, it } from 'vitest';
import { MemoryStore } from '../../src/cache/memory-store.ts';
import { TieredStore } from '../../src/cache/tiered-store.ts';
import { resultStoreCompliance } from '../../src/compliance/result-store.ts';
import type { ResultStore } from '../../src/ports/result-store.ts';
import { systemClock } from '../../src/lifecycle/platform/system-clock.ts';
import { MemoryPlace } from '../compliance/memory-place.ts';

let memories = 0;
const memory = (): ResultStore => {
  memories += 1;
  return new MemoryStore({ id: String(memories), node: 'client', clock: systemClock });
};

/** A tiered store over memory of its own and places that others may open too. */
async function openOn(places: readonly MemoryPlace[], write: 'through' | 'back'): Promise<TieredStore> {
  const tiers = [memory(), ...(await Promise.all(places.map((place) => place.open())))];
  return new TieredStore({ tiers, write, clock: systemClock, node: 'client' });
}

async function countOf(place: MemoryPlace | undefined): Promise<number> {
  let count = 0;
  for await (const { digest } of place?.blobs.list() ?? []) count += digest.length;
  return count;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (let turn = 0; turn < 10_000 && !(await isSo()); turn += 1) await new Promise(setImmediate);
}

describe.each([
  ['one place', 'through', 1],
  ['two places', 'through', 2],
  ['two places', 'back', 2],
] as const)('TieredStore of memory and %s, writing %s', (_, write, count) => {
  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: true, shared: true },
      blobs: true,
      leases: true,
      copies: true,
      sweeps: true,
      litter: async ({ places }: { places: MemoryPlace[] }) => {
        for (const place of places) place.leaveLitter();
      },
      create: async () => {
        const places = Array.from({ length: count }, () => new MemoryPlace());
        return {
          places,
          open: () => openOn(places, write),
          destroy: async () => {
            for (const place of places) await place.destroy();
          },
        };
      },
      elapse: async ({ places }, milliseconds) => {
        // What is on its way to the last place by then has come there.
        for (const place of places)
          await until(async () => (await countOf(place)) >= (await countOf(places[0])));
        for (const place of places) place.now += milliseconds;
      },
      // With two places each has a copy, and what one of them lost the other has.
      ...(count === 1 && {
        damageBlob: async ({ places: [place] }: { places: MemoryPlace[] }, digest: string) => {
          await place?.blobs.damage(digest);
        },
      }),
    },
  );
});

describe('TieredStore of memory alone', () => {
  resultStoreCompliance(
    { describe, it },
    {
      capabilities: { durable: false, shared: false },
      sweeps: true,
      create: async () => ({
        open: async () => new TieredStore({ tiers: [memory()], clock: systemClock, node: 'client' }),
        destroy: async () => {},
      }),
    },
  );
});
