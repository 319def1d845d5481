import { describe, expect, it } from 'vitest';
import { resultStoreCompliance } from '../../src/compliance/result-store.ts';
import type { ResultStorePlace, ResultStoreSubject } from '../../src/compliance/result-store-subject.ts';
import { BROKEN_BLOBS, brokenBlobsBy } from './broken-blob-stores.ts';
import { BROKEN_METADATA } from './broken-result-metadata.ts';
import { type Breakage, BROKEN, brokenBy } from './broken-result-stores.ts';
import { failuresOf } from './failures-of.ts';
import { MemoryBlobs } from './memory-blobs.ts';

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
  });

  it.each([...BROKEN, ...BROKEN_METADATA])('catches a store that %s', async (_, promise, breakage) => {
    expect(await brokenPromises(breakage)).toEqual([promise]);
  });

  it.each(BROKEN_BLOBS)('catches a store that %s', async (_, promise, breakage) => {
    expect(await brokenPromisesOfBlobs(breakage)).toContain(promise);
  });

  it('has for each case of blobs a store that it catches', () => {
    const subject = withBlobs(() => ({}));
    const others = promisesTo({ ...subject, blobs: false });
    const ofBlobs = promisesTo(subject).filter((name) => !others.includes(name));
    expect(new Set(BROKEN_BLOBS.map(([, promise]) => promise))).toEqual(new Set(ofBlobs));
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
