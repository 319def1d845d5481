import { describe, expect, it } from 'vitest';
import { resultStoreKit } from '../../src/compliance/result-store.ts';
import type { ResultStorePlace, ResultStoreSubject } from '../../src/compliance/result-store-subject.ts';
import { BROKEN_BLOBS, brokenBlobsBy } from './broken-blob-stores.ts';
import { BROKEN_METADATA } from './broken-result-metadata.ts';
import { type Breakage, BROKEN, brokenBy } from './broken-result-stores.ts';
import { BROKEN_PLACES } from './broken-places.ts';
import { BROKEN_SWEEPS } from './broken-sweeps.ts';
import { casesFor, failedCases } from './failed-cases.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryPlace, type PlaceBreakage } from './memory-place.ts';

const CAPABILITIES = { durable: false, shared: false };

/** How a store is judged that can do no more than it must. */
function minimal(breakage: Breakage): ResultStoreSubject {
  return {
    capabilities: CAPABILITIES,
    create: async () => ({ open: async () => brokenBy(breakage), destroy: async () => {} }),
  };
}

/** How a store with blobs is judged. */
function withBlobs(
  breakage: (typeof BROKEN_BLOBS)[number][2],
): ResultStoreSubject<ResultStorePlace & { readonly sound: MemoryBlobs }> {
  return {
    capabilities: CAPABILITIES,
    blobs: true,
    create: async () => {
      const sound = new MemoryBlobs();
      return { sound, open: async () => brokenBlobsBy(breakage, sound), destroy: async () => {} };
    },
    damageBlob: ({ sound }, digest) => sound.damage(digest),
  };
}

/** How a store is judged that can do everything. */
function withEverything(breakage: PlaceBreakage): ResultStoreSubject<MemoryPlace> {
  return {
    capabilities: { durable: true, shared: true },
    blobs: true,
    leases: true,
    sweeps: true,
    create: async () => new MemoryPlace(breakage),
    litter: async (place) => place.leaveLitter(),
    elapse: (place, milliseconds) => void (place.now += milliseconds),
    damage: async (place, key) => place.damage(key),
    damageBlob: ({ blobs }, digest) => blobs.damage(digest),
  };
}

describe('the kit for result stores', () => {
  it('finds nothing wrong with a store that keeps its promises', async () => {
    expect(
      await failedCases(
        resultStoreKit,
        minimal(() => ({})),
      ),
    ).toEqual([]);
    expect(
      await failedCases(
        resultStoreKit,
        withBlobs(() => ({})),
      ),
    ).toEqual([]);
    expect(
      await failedCases(
        resultStoreKit,
        withEverything(() => ({})),
      ),
    ).toEqual([]);
  });

  it.each([...BROKEN, ...BROKEN_METADATA])('catches a store that %s', async (_, id, breakage) => {
    expect(await failedCases(resultStoreKit, minimal(breakage))).toEqual([id]);
  });

  it.each(BROKEN_BLOBS)('catches a store that %s', async (_, id, breakage) => {
    expect(await failedCases(resultStoreKit, withBlobs(breakage))).toContain(id);
  });

  it.each([...BROKEN_PLACES, ...BROKEN_SWEEPS])(
    'catches a store on a place that %s',
    async (_, id, breakage) => {
      expect(await failedCases(resultStoreKit, withEverything(breakage), id)).toEqual([id]);
    },
  );

  it('has more than 90 cases for a store that can do everything', () => {
    expect(
      casesFor(
        resultStoreKit,
        withEverything(() => ({})),
      ).length,
    ).toBeGreaterThan(90);
  });

  it('has a store that it catches for each case of what a store can do beyond the minimum, of pins and of metadata', () => {
    const always = casesFor(
      resultStoreKit,
      minimal(() => ({})),
    );
    const caught = new Set(
      [...BROKEN_BLOBS, ...BROKEN_PLACES, ...BROKEN_SWEEPS, ...BROKEN, ...BROKEN_METADATA].map(
        ([, id]) => id,
      ),
    );
    const isOptional = (id: string): boolean => !always.includes(id) || /\/(pins|metadata)\//.test(id);
    const optional = casesFor(
      resultStoreKit,
      withEverything(() => ({})),
    ).filter(isOptional);
    expect(optional.filter((id) => !caught.has(id))).toEqual([]);
  });

  it('catches a store that has no blobs although it says so, or has some and does not', async () => {
    const silent: ResultStoreSubject = {
      capabilities: CAPABILITIES,
      create: async () => ({ open: async () => brokenBlobsBy(() => ({})), destroy: async () => {} }),
    };
    expect(await failedCases(resultStoreKit, silent)).toEqual(['result-store/places/declared']);
    const boasting = { ...minimal(() => ({})), blobs: true };
    expect(await failedCases(resultStoreKit, boasting)).toContain('result-store/places/declared');
  });
});
