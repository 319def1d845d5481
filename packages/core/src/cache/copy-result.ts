import type { ResultKey, StoredResult } from '../model/result.js';
import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';
import { takes, type Tiers } from './tiers.js';

/** Bytes of a result that wait in memory to be copied. A larger one is read again. */
const WAITING_BYTES = 1024 * 1024;

/** A result, as long as it may be held until it is copied. */
export function holdable(found: StoredResult): StoredResult | undefined {
  return found.body.parts && found.body.byteLength <= WAITING_BYTES ? found : undefined;
}

/**
 * Copies a result from one tier to another, its blobs first. Nothing is held of what the store gives in chunks.
 * @param known - the result, when it was read already.
 * @returns without it when the tier has it no more, or the other does not take it.
 */
export async function copyResult(
  tiers: Tiers,
  key: ResultKey,
  from: ResultStore,
  to: ResultStore,
  known: StoredResult | undefined,
  options: StoreCallOptions,
): Promise<void> {
  const found = known ?? (await from.get(key, options));
  if (!found || !takes(to, found.metadata)) return;
  for (const { digest } of to.blobs ? (found.metadata.blobs ?? []) : [])
    await copyBlob(tiers, digest, to, options);
  await to.put(key, found, options);
}

/** Copies a blob from the fastest tier that has it. Reads nothing when it is there. */
export async function copyBlob(
  tiers: Tiers,
  digest: string,
  to: ResultStore,
  options: StoreCallOptions,
): Promise<void> {
  const blob = await tiers.findBlob(digest, options);
  await to.blobs?.put(blob.chunks(options), { ...options, digest });
}
