import type { ResultStore } from '../ports/result-store.js';
import { blobCases } from './result-store-blobs.js';
import { blobTimeCases } from './result-store-blob-times.js';
import { bodyCases } from './result-store-bodies.js';
import { entryCases } from './result-store-entries.js';
import { leaseCases } from './result-store-leases.js';
import { metadataCases } from './result-store-metadata.js';
import { pinCases } from './result-store-pins.js';
import { placeCases } from './result-store-places.js';
import { resultCases } from './result-store-results.js';
import { blobPlaceCases } from './result-store-blob-places.js';
import { sweepCases } from './result-store-sweeps.js';
import type { Register, ResultStorePlace, ResultStoreSubject, StoreCase } from './result-store-subject.js';
import { DEFAULT_CASE_TIMEOUT_MS } from './run-case.js';
import type { ComplianceRunner } from './runner.js';

/**
 * Proves that a {@link ResultStore} keeps its promises. Registers 50 cases, and more for what the store can do beyond the
 * minimum: over 90 for one that can do everything. Every case has a place of its own, so that they may run at once and in any order.
 *
 * @example
 * ```ts
 * import { describe, it } from 'vitest';
 * resultStoreCompliance({ describe, it }, { capabilities: { durable: true, shared: true }, create });
 * ```
 * @public
 */
export function resultStoreCompliance<Place extends ResultStorePlace>(
  { describe, it }: ComplianceRunner,
  subject: ResultStoreSubject<Place>,
): void {
  const register: Register = (name, run) => it(name, () => runCase(subject, run), DEFAULT_CASE_TIMEOUT_MS);
  describe('a result store', () => {
    describe('gives back what was put', () => resultCases(register));
    describe('takes bodies that come in chunks', () => bodyCases(register));
    describe('knows its results', () => entryCases(register));
    describe('keeps metadata', () => metadataCases(register));
    describe('pins', () => pinCases(register, subject.capabilities));
    const { blobs = false, leases = false, copies = false, sweeps = false } = subject;
    const can = {
      ...subject.capabilities,
      blobs,
      leases,
      copies,
      sweeps,
      damage: subject.damage !== undefined,
    };
    const elapse = subject.elapse !== undefined;
    describe('opens and closes', () => placeCases(register, can));
    const { shared } = subject.capabilities;
    if (leases) describe('gives leases', () => leaseCases(register, { shared, elapse }));
    const litter = subject.litter !== undefined && elapse;
    if (sweeps) describe('sweeps', () => sweepCases(register, { blobs, leases, litter }));
    if (!blobs) return;
    describe('keeps blobs', () => blobCases(register));
    describe('knows when blobs were put', () => blobTimeCases(register, { elapse }));
    const place = { ...subject.capabilities, damage: subject.damageBlob !== undefined };
    describe('opens and closes with blobs', () => blobPlaceCases(register, place));
  });
}

async function runCase<Place extends ResultStorePlace>(
  subject: ResultStoreSubject<Place>,
  run: (given: StoreCase) => Promise<void>,
): Promise<void> {
  const places: Place[] = [];
  const stores: ResultStore[] = [];
  const openOn = async (place: Place): Promise<ResultStore> => {
    const store = await place.open();
    stores.push(store);
    return store;
  };
  const makePlace = async (): Promise<Place> => {
    const place = await subject.create();
    places.push(place);
    return place;
  };
  try {
    const place = await makePlace();
    await run({
      store: await openOn(place),
      open: () => openOn(place),
      elsewhere: async () => openOn(await makePlace()),
      elapse: async (milliseconds) => subject.elapse?.(place, milliseconds),
      damage: async (key) => subject.damage?.(place, key),
      damageBlob: async (digest) => subject.damageBlob?.(place, digest),
      litter: async () => subject.litter?.(place),
    });
  } finally {
    for (const store of stores) await store.close();
    for (const place of places) await place.destroy();
  }
}
