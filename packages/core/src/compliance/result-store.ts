import type { ResultStore } from '../ports/result-store.js';
import type { CaseResources } from './case-resources.js';
import type { ComplianceKit } from './kit.js';
import { type CaseOptions, registerCompliance } from './register.js';
import { blobCases } from './result-store-blobs.js';
import { blobPlaceCases } from './result-store-blob-places.js';
import { blobTimeCases } from './result-store-blob-times.js';
import { bodyCases } from './result-store-bodies.js';
import { entryCases } from './result-store-entries.js';
import { leaseCases } from './result-store-leases.js';
import { metadataCases } from './result-store-metadata.js';
import * as needs from './result-store-needs.js';
import { pinCases } from './result-store-pins.js';
import { placeCases } from './result-store-places.js';
import { resultCases } from './result-store-results.js';
import type {
  ResultStorePlace,
  ResultStoreSubject,
  StoreAbilities,
  StoreGiven,
  StoreGroup,
} from './result-store-subject.js';
import { sweepCases } from './result-store-sweeps.js';
import type { ComplianceRunner } from './runner.js';

const groups: readonly StoreGroup[] = [
  { name: 'results', title: 'gives back what was put', cases: resultCases },
  { name: 'bodies', title: 'takes bodies that come in chunks', cases: bodyCases },
  { name: 'entries', title: 'knows its results', cases: entryCases },
  { name: 'metadata', title: 'keeps metadata', cases: metadataCases },
  { name: 'pins', title: 'pins', cases: pinCases },
  { name: 'places', title: 'opens and closes', cases: placeCases },
  { name: 'leases', title: 'gives leases', needs: needs.leases, cases: leaseCases },
  { name: 'sweeps', title: 'sweeps', needs: needs.sweeps, cases: sweepCases },
  { name: 'blobs', title: 'keeps blobs', needs: needs.blobs, cases: blobCases },
  { name: 'blob-times', title: 'knows when blobs were put', needs: needs.blobs, cases: blobTimeCases },
  { name: 'blob-places', title: 'opens and closes with blobs', needs: needs.blobs, cases: blobPlaceCases },
];

/** What a {@link ResultStore} has to do, as data: over 90 cases. @public */
export const resultStoreKit: ComplianceKit<ResultStoreSubject, StoreAbilities, StoreGiven> = {
  name: 'result-store',
  title: 'a result store',
  version: '1.0.0',
  groups,
  capabilitiesOf: abilitiesOf,
  prepare,
};

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
  runner: ComplianceRunner,
  subject: ResultStoreSubject<Place>,
  options?: CaseOptions,
): void {
  registerCompliance(resultStoreKit, runner, subject, options);
}

function abilitiesOf(subject: ResultStoreSubject): StoreAbilities {
  const { capabilities, blobs = false, leases = false, copies = false, sweeps = false } = subject;
  return {
    durable: capabilities.durable,
    shared: capabilities.shared,
    blobs,
    leases,
    copies,
    sweeps,
    elapse: subject.elapse !== undefined,
    damage: subject.damage !== undefined,
    damageBlob: subject.damageBlob !== undefined,
    litter: subject.litter !== undefined,
  };
}

async function prepare(subject: ResultStoreSubject, resources: CaseResources): Promise<StoreGiven> {
  const openOn = async (place: ResultStorePlace): Promise<ResultStore> => {
    const store = await place.open();
    resources.defer(() => store.close());
    return store;
  };
  const makePlace = async (): Promise<ResultStorePlace> => {
    const place = await subject.create();
    resources.defer(() => place.destroy());
    return place;
  };
  const place = await makePlace();
  return {
    can: abilitiesOf(subject),
    store: await openOn(place),
    open: () => openOn(place),
    elsewhere: async () => openOn(await makePlace()),
    elapse: async (milliseconds) => subject.elapse?.(place, milliseconds),
    damage: async (key) => subject.damage?.(place, key),
    damageBlob: async (digest) => subject.damageBlob?.(place, digest),
    litter: async () => subject.litter?.(place),
  };
}
