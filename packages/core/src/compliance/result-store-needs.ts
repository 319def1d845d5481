import type { StoreAbilities } from './result-store-subject.js';

/** Why a case does not apply to a store, or `undefined` when it does. */
type Need = (can: StoreAbilities) => string | undefined;

export const durable: Need = (can) => (can.durable ? undefined : 'the store is not durable');

export const shared: Need = (can) => (can.shared ? undefined : 'the store is not shared');

export const sharedWithoutCopies: Need = (can) =>
  shared(can) ?? (can.copies ? 'the store keeps copies of its own' : undefined);

export const blobs: Need = (can) => (can.blobs ? undefined : 'the store keeps no blobs');

export const leases: Need = (can) => (can.leases ? undefined : 'the store has no leases');

export const sweeps: Need = (can) => (can.sweeps ? undefined : 'the store has no sweep');

export const elapse: Need = (can) => (can.elapse ? undefined : 'the subject cannot let time pass');

export const damage: Need = (can) => (can.damage ? undefined : 'the subject cannot damage a result');

export const damageOfBlobs: Need = (can) => (can.damageBlob ? undefined : 'the subject cannot damage a blob');

export const litter: Need = (can) =>
  can.litter ? elapse(can) : 'the subject cannot leave what a writer leaves that dies';
