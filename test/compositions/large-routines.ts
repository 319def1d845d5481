import { createHash } from 'node:crypto';
import { define, type Ref } from '@routine-engine/core';

const CHUNK_BYTES = 256 * 1024;

/** A matrix in which no two places are alike. */
export const matrix = define.task({ name: 'matrix', version: '1.0.0' }, (length: number, seed: number) =>
  Float32Array.from({ length }, (_, index) => index + seed / 1_000),
);

export const rowSum = define.task(
  { name: 'row-sum', version: '1.0.0' },
  ({ values }: { readonly values: Float32Array }, row: number) =>
    values.subarray(row * 100, row * 100 + 100).reduce((sum, value) => sum + value, 0),
);

/** Hands a matrix to many tasks, and never sees it. */
export const rowSums = define.workflow({ name: 'row-sums' }, async (length: number, rows: number) => {
  const values = await matrix.ref(length, 1);
  return Promise.all(Array.from({ length: rows }, (_, row) => rowSum({ values }, row)));
});

/** Takes a reference from elsewhere and hands it on. */
export const handsOn = define.workflow(
  { name: 'hands-on', keepRefs: true },
  async (values: Ref<Float32Array>) => [await rowSum({ values }, 0), values.byteLength] as const,
);

/** A file of `chunks` times 256 KiB. */
export const file = define.task({ name: 'file', version: '1.0.0' }, async function* (chunks: number) {
  for (let index = 0; index < chunks; index += 1) yield new Uint8Array(CHUNK_BYTES).fill(index);
});

export const unremembered = define.task(
  { name: 'unremembered-file', version: '1.0.0', cache: false },
  (chunks: number) => ({
    chunks,
    content: (async function* () {
      for (let index = 0; index < chunks; index += 1) yield new Uint8Array(CHUNK_BYTES).fill(index);
    })(),
  }),
);

export const digestOf = define.task(
  { name: 'digest-of', version: '1.0.0' },
  async (stream: AsyncIterable<Uint8Array>) => {
    const hash = createHash('sha256');
    for await (const chunk of stream) hash.update(chunk);
    return hash.digest('hex');
  },
);

export const fileDigest = define.workflow({ name: 'file-digest' }, async (chunks: number) =>
  digestOf(await file.ref(chunks)),
);
