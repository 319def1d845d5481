import type { BlobEntry } from '../ports/blob-store.js';
import type { ResultEntry } from '../ports/result-store.js';
import { packedId } from './packed-id.js';
import type { Tiers } from './tiers.js';

/** The results of all tiers, each once, as the slowest tier that has it lists it. Holds about 100 bytes for each. */
export async function* resultsOnce({ all }: Tiers): AsyncGenerator<ResultEntry> {
  const seen = new Set<string>();
  for (const tier of all.toReversed()) {
    for await (const entry of tier.list()) {
      if (isNew(entry.key, seen, all.length)) yield entry;
    }
  }
}

/** The blobs of all tiers, each once, put when it was put last into any. Holds about 200 bytes for each. */
export async function* blobsOnce({ withBlobs }: Tiers): AsyncGenerator<BlobEntry> {
  const seen = new Set<string>();
  const newest = new Map<string, number>();
  for (const tier of withBlobs.slice(0, -1)) {
    for await (const { digest, putAt } of tier.blobs.list()) {
      const id = packedId(digest);
      newest.set(id, Math.max(putAt, newest.get(id) ?? putAt));
    }
  }
  for (const tier of withBlobs.toReversed()) {
    for await (const entry of tier.blobs.list()) {
      if (!isNew(entry.digest, seen, withBlobs.length)) continue;
      const putAt = Math.max(entry.putAt, newest.get(packedId(entry.digest)) ?? entry.putAt);
      yield { ...entry, putAt };
    }
  }
}

function isNew(id: string, seen: Set<string>, places: number): boolean {
  if (places === 1) return true;
  const packed = packedId(id);
  if (seen.has(packed)) return false;
  seen.add(packed);
  return true;
}
