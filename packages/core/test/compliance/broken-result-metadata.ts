import type { ResultMetadata } from '../../src/model/result.ts';
import type { MemoryStore } from '../../src/cache/memory-store.ts';
import type { BROKEN, Breakage } from './broken-result-stores.ts';

/** A store that keeps what `change` makes of metadata. */
function withMetadata(change: (metadata: ResultMetadata) => ResultMetadata): Breakage {
  return (sound: MemoryStore) => ({
    put: (key, { metadata, body }, options) => sound.put(key, { metadata: change(metadata), body }, options),
  });
}

/** What is wrong with how metadata are kept, the case that finds it, and how. */
export const BROKEN_METADATA: typeof BROKEN = [
  [
    'keeps routine ids in ASCII',
    'result-store/metadata/as-put',
    withMetadata((metadata) => ({
      ...metadata,
      routineId: Buffer.from(metadata.routineId, 'ascii').toString('ascii'),
    })),
  ],
  [
    'does not know of parts that are elsewhere',
    'result-store/metadata/parts-elsewhere',
    withMetadata((metadata) => (metadata.blobs ? { ...metadata, blobs: [] } : metadata)),
  ],
  [
    'puts an empty digest of arguments where there is none',
    'result-store/metadata/no-arguments-digest',
    withMetadata((metadata) => ({ argumentsDigest: '', ...metadata })),
  ],
  [
    'does not know who computed a result',
    'result-store/metadata/origin',
    withMetadata(({ worker, ...metadata }) =>
      worker === undefined
        ? metadata
        : { ...metadata, worker: Buffer.from(worker, 'ascii').toString('ascii') },
    ),
  ],
  [
    'keeps a hundred inputs',
    'result-store/metadata/inputs',
    withMetadata((metadata) =>
      metadata.inputs ? { ...metadata, inputs: metadata.inputs.slice(0, 100) } : metadata,
    ),
  ],
  [
    'sorts an outline',
    'result-store/metadata/outline',
    withMetadata((metadata) =>
      metadata.outline ? { ...metadata, outline: metadata.outline.toSorted() } : metadata,
    ),
  ],
  [
    'drops empty lists',
    'result-store/metadata/empty-lists',
    withMetadata(({ inputs, ...metadata }) => (inputs?.length ? { ...metadata, inputs } : metadata)),
  ],
  [
    'makes null of undefined',
    'result-store/metadata/undefined-fields',
    withMetadata((metadata) =>
      'worker' in metadata ? ({ ...metadata, worker: metadata.worker ?? null } as ResultMetadata) : metadata,
    ),
  ],
  [
    'keeps whole milliseconds',
    'result-store/metadata/numbers',
    withMetadata((metadata) => ({ ...metadata, createdAt: Math.trunc(metadata.createdAt) })),
  ],
];
