import { describe, expect, it } from 'vitest';
import { resultStoreCompliance } from '../../src/compliance/result-store.ts';
import type { ResultStorePlace, ResultStoreSubject } from '../../src/compliance/result-store-subject.ts';
import { BROKEN_BLOBS, brokenBlobsBy } from './broken-blob-stores.ts';
import { BROKEN_METADATA } from './broken-result-metadata.ts';
import { type Breakage, BROKEN, brokenBy } from './broken-result-stores.ts';
import { BROKEN_PLACES } from './broken-places.ts';
import { BROKEN_SWEEPS } from './broken-sweeps.ts';
import { failuresOf } from './failures-of.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryPlace, type PlaceBreakage } from './memory-place.ts';

const CAPABILITIES = { durable: false, shared: false };

async function brokenPromises(breakage: Breakage): Promise<string[]> {
  const failures = await failuresOf((runner) =>
    resultStoreCompliance(runner, {
      capabilities: CAPABILITIES,
      create: async () => ({ open: async () => brokenBy(breakage), destroy: async () => {} }),
    }),
  );
  return [...failures.keys()];
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

async function brokenPromisesOfBlobs(breakage: (typeof BROKEN_BLOBS)[number][2]): Promise<string[]> {
  const failures = await failuresOf((runner) => resultStoreCompliance(runner, withBlobs(breakage)));
  return [...failures.keys()];
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

/** @param promise - the one case that is run; default all. */
async function brokenPromisesOfPlaces(breakage: PlaceBreakage, promise?: string): Promise<string[]> {
  const failures = await failuresOf(({ describe, it: run }) =>
    resultStoreCompliance(
      {
        describe,
        it: (name, test, timeoutMs) =>
          (promise === undefined || name === promise) && run(name, test, timeoutMs),
      },
      withEverything(breakage),
    ),
  );
  return [...failures.keys()];
}

/** The names of all cases that a kit has for a subject. */
function promisesTo<Place extends ResultStorePlace>(subject: ResultStoreSubject<Place>): string[] {
  const names: string[] = [];
  resultStoreCompliance({ describe: (_, register) => register(), it: (name) => names.push(name) }, subject);
  return names;
}

describe('the kit for result stores', () => {
  it('finds nothing wrong with a store that keeps its promises', async () => {
    expect(await brokenPromises(() => ({}))).toEqual([]);
    expect(await brokenPromisesOfBlobs(() => ({}))).toEqual([]);
    expect(await brokenPromisesOfPlaces(() => ({}))).toEqual([]);
  });

  it.each([...BROKEN, ...BROKEN_METADATA])('catches a store that %s', async (_, promise, breakage) => {
    expect(await brokenPromises(breakage)).toEqual([promise]);
  });

  it.each(BROKEN_BLOBS)('catches a store that %s', async (_, promise, breakage) => {
    expect(await brokenPromisesOfBlobs(breakage)).toContain(promise);
  });

  it.each([...BROKEN_PLACES, ...BROKEN_SWEEPS])(
    'catches a store on a place that %s',
    async (_, promise, breakage) => {
      expect(await brokenPromisesOfPlaces(breakage, promise)).toEqual([promise]);
    },
  );

  it('has more than 90 cases for a store that can do everything, each with a name of its own', () => {
    const promises = promisesTo(withEverything(() => ({})));
    expect(promises.length).toBeGreaterThan(90);
    expect(new Set(promises).size).toBe(promises.length);
  });

  it('has a store that it catches for each case of what a store can do beyond the minimum, of pins and of metadata', () => {
    const minimal = promisesTo({ capabilities: CAPABILITIES, create: async () => new MemoryPlace() });
    const caught = new Set(
      [...BROKEN_BLOBS, ...BROKEN_PLACES, ...BROKEN_SWEEPS, ...BROKEN, ...BROKEN_METADATA].map(
        ([, promise]) => promise,
      ),
    );
    const isOptional = (name: string): boolean =>
      !minimal.includes(name) || /\bpins?\b|pinned|metadata/.test(name);
    const optional = promisesTo(withEverything(() => ({}))).filter(isOptional);
    expect(optional.filter((name) => !caught.has(name))).toEqual([]);
  });

  it('catches a store that has no blobs although it says so, or has some and does not', async () => {
    const promise = 'declares the capabilities by which it is tested';
    const silent = await failuresOf((runner) =>
      resultStoreCompliance(runner, {
        capabilities: CAPABILITIES,
        create: async () => ({ open: async () => brokenBlobsBy(() => ({})), destroy: async () => {} }),
      }),
    );
    expect([...silent.keys()]).toEqual([promise]);
    const boasting = await failuresOf((runner) =>
      resultStoreCompliance(runner, {
        capabilities: CAPABILITIES,
        blobs: true,
        create: async () => ({ open: async () => brokenBy(() => ({})), destroy: async () => {} }),
      }),
    );
    expect([...boasting.keys()]).toContain(promise);
  });
});
