import assert from 'node:assert/strict';
import type { ResultMetadata } from '../model/result.js';
import type { ResultStore } from '../ports/result-store.js';
import type { StoreCase } from './result-store-subject.js';
import { assertGives, bytesOf, keyOf, listOf, METADATA, resultOf } from './result-store-samples.js';

const KEY = keyOf(8);
/** As many as there may be. */
const INPUTS = 1_000;
const OUTLINE_PAIRS = 200;

export const metadataCases: readonly StoreCase[] = [
  {
    id: 'result-store/metadata/as-put',
    title: 'gives back the metadata as they were put',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const metadata = { ...METADATA, routineId: 'wfname:zürich:\u{1F680} "x"\n:0.0.1-dev', durationMs: 0 };
      await keepsMetadata(store, metadata);
    },
  },
  {
    id: 'result-store/metadata/parts-elsewhere',
    title: 'gives back what the metadata say of parts that are elsewhere',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const blobs = [
        { part: 1, digest: 'c'.repeat(64), byteLength: 5_000_000_000 },
        { part: 3, digest: 'd'.repeat(64), byteLength: 0 },
      ];
      // As long as a node may be: 4,096 bytes.
      const node = Buffer.from(bytesOf(4096)).toString('base64');
      await keepsMetadata(store, { ...METADATA, blobs, streams: 1, node });
      await assertGives(store, KEY, resultOf([5, 0, 7, 0]));
    },
  },
  {
    id: 'result-store/metadata/no-arguments-digest',
    title: 'keeps a result without a digest of arguments',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const { argumentsDigest: _, ...metadata } = METADATA;
      await keepsMetadata(store, metadata);
    },
  },
  {
    id: 'result-store/metadata/origin',
    title: 'gives back who computed a result, from which source and for whom',
    promise: 'store-keeps',
    run: async ({ store }) => {
      await keepsMetadata(store, {
        ...METADATA,
        sourceHash: 'e'.repeat(64),
        parentRunId: '0190b5a2-4c1e-7d3a-9f21-3c5d7e9f1a2c',
        worker: 'zürich/worker "1"',
      });
    },
  },
  {
    id: 'result-store/metadata/inputs',
    title: 'gives back the results that a result was computed from, as many as there may be',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const inputs = Array.from({ length: INPUTS }, (_, at) => ({
        key: keyOf(at),
        store: `fs:/var/results/${at}`,
        routineId: `tname:news:step-${at}:0.0.1`,
      }));
      await keepsMetadata(store, { ...METADATA, inputs });
      const [first = { key: KEY, store: '', routineId: '' }] = inputs;
      await store.delete(KEY);
      await keepsMetadata(store, { ...METADATA, inputs: [first] });
    },
  },
  {
    id: 'result-store/metadata/outline',
    title: 'gives back the outline of the arguments, in order and as long as it may be',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const outline = Array.from({ length: OUTLINE_PAIRS }, (_, at) => [
        `args[${at}].${'deep.'.repeat(40)}"größe"`,
        at.toString(16).padStart(16, '0'),
      ]).flat();
      await keepsMetadata(store, { ...METADATA, outline });
    },
  },
  {
    id: 'result-store/metadata/empty-lists',
    title: 'keeps empty lists in metadata as empty lists',
    promise: 'store-keeps',
    run: async ({ store }) => {
      await keepsMetadata(store, { ...METADATA, inputs: [], outline: [] });
    },
  },
  {
    id: 'result-store/metadata/undefined-fields',
    title: 'takes metadata with fields that are undefined, as if they were not there',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const absent = { sourceHash: undefined, parentRunId: undefined, worker: undefined };
      const lists = { inputs: undefined, outline: undefined, blobs: undefined };
      const rest = { streams: undefined, node: undefined };
      await store.put(KEY, resultOf([5], 1, { ...METADATA, ...absent, ...lists, ...rest }));
      assert.deepEqual(withoutUndefined((await store.get(KEY))?.metadata), METADATA);
      await assertGives(store, KEY, resultOf([5]));
      for (const { metadata } of await listOf(store)) assert.deepEqual(withoutUndefined(metadata), METADATA);
    },
  },
  {
    id: 'result-store/metadata/numbers',
    title: 'gives back the numbers in metadata to the last digit',
    promise: 'store-keeps',
    run: async ({ store }) => {
      const metadata = { ...METADATA, createdAt: 1_720_000_000_123.25, durationMs: 0.1 + 0.2 };
      await keepsMetadata(store, metadata);
    },
  },
];

/** Fails unless the store gives and lists the metadata as they were. */
async function keepsMetadata(store: ResultStore, metadata: ResultMetadata): Promise<void> {
  assert.equal(await store.put(KEY, resultOf([5, 0, 7, 0], 1, metadata)), 'stored');
  assert.deepEqual((await store.get(KEY))?.metadata, metadata);
  const entries = await listOf(store);
  assert.equal(entries.length, 1, 'how many results are listed');
  for (const entry of entries) assert.deepEqual(entry.metadata, metadata, 'metadata in the list');
}

function withoutUndefined(metadata: ResultMetadata | undefined): unknown {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([, value]) => value !== undefined));
}
