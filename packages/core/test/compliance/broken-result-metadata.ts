import type { ResultMetadata } from '../../src/model/result.ts';
import type { MemoryStore } from '../../src/cache/memory-store.ts';
import type { BROKEN, Breakage } from './broken-result-stores.ts';

/** A store that keeps what `change` makes of metadata. */
function withMetadata(change: (metadata: ResultMetadata) => ResultMetadata): Breakage {
  return (sound: MemoryStore) => ({
    put: (key, { metadata, body }, options) => sound.put(key, { metadata: change(metadata), body }, options),
  });
}

/** What is wrong with how metadata are kept, the promise that it breaks, and how. */
export const BROKEN_METADATA: typeof BROKEN = [
  [
    'keeps routine ids in ASCII',
    'gives back the metadata as they were put',
    withMetadata((metadata) => ({
      ...metadata,
      routineId: Buffer.from(metadata.routineId, 'ascii').toString('ascii'),
    })),
  ],
  [
    'does not know of parts that are elsewhere',
    'gives back what the metadata say of parts that are elsewhere',
    withMetadata((metadata) => (metadata.blobs ? { ...metadata, blobs: [] } : metadata)),
  ],
  [
    'puts an empty digest of arguments where there is none',
    'keeps a result without a digest of arguments',
    withMetadata((metadata) => ({ argumentsDigest: '', ...metadata })),
  ],
];
