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
  [
    'does not know who computed a result',
    'gives back who computed a result, from which source and for whom',
    withMetadata(({ worker, ...metadata }) =>
      worker === undefined
        ? metadata
        : { ...metadata, worker: Buffer.from(worker, 'ascii').toString('ascii') },
    ),
  ],
  [
    'keeps a hundred inputs',
    'gives back the results that a result was computed from, as many as there may be',
    withMetadata((metadata) =>
      metadata.inputs ? { ...metadata, inputs: metadata.inputs.slice(0, 100) } : metadata,
    ),
  ],
  [
    'sorts an outline',
    'gives back the outline of the arguments, in order and as long as it may be',
    withMetadata((metadata) =>
      metadata.outline ? { ...metadata, outline: metadata.outline.toSorted() } : metadata,
    ),
  ],
  [
    'drops empty lists',
    'keeps empty lists in metadata as empty lists',
    withMetadata(({ inputs, ...metadata }) => (inputs?.length ? { ...metadata, inputs } : metadata)),
  ],
  [
    'makes null of undefined',
    'takes metadata with fields that are undefined, as if they were not there',
    withMetadata((metadata) =>
      'worker' in metadata ? ({ ...metadata, worker: metadata.worker ?? null } as ResultMetadata) : metadata,
    ),
  ],
  [
    'keeps whole milliseconds',
    'gives back the numbers in metadata to the last digit',
    withMetadata((metadata) => ({ ...metadata, createdAt: Math.trunc(metadata.createdAt) })),
  ],
];
