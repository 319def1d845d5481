import assert from 'node:assert/strict';
import { Reference, referenceData } from '../model/reference.js';
import { asReference, assertRefuses, carried, valueReference } from './codec-samples.js';
import { type CodecCase, needsReferences } from './codec-subject.js';

const ONE = valueReference(Uint8Array.of(0x6e));
const OTHER = valueReference(Uint8Array.of(0x75));

/** Parts of one value that are the same object. */
const sharedCases: readonly CodecCase[] = [
  {
    id: 'codec/references/shared',
    title: 'carries a part that is in a value twice as one part',
    promise: 'equal-or-refused',
    needs: needsReferences,
    run: async ({ codec }) => {
      const part = { a: 1 };
      const [first, second] = carried(codec, [part, part]);
      assert.equal(first, second, 'there are two of it');
    },
  },
  {
    id: 'codec/references/equal-parts',
    title: 'carries two equal parts as two',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const [first, second] = carried(codec, [{ a: [-0] }, { a: [-0] }]);
      assert.notEqual(first, second, 'there is one of them');
      assert.deepEqual(first, second);
    },
  },
  {
    id: 'codec/references/cycles',
    title: 'carries cycles through objects, arrays, maps, sets and errors',
    promise: 'equal-or-refused',
    needs: needsReferences,
    run: async ({ codec }) => {
      const root: { list: unknown[]; map: Map<unknown, unknown>; set: Set<unknown>; error: Error } = {
        list: [],
        map: new Map(),
        set: new Set(),
        error: new Error('around'),
      };
      root.list.push(root);
      root.map.set(root, root);
      root.set.add(root);
      root.error.cause = root;
      const arrived = carried(codec, root);
      assert.equal(arrived.list[0], arrived, 'through the array');
      assert.equal(arrived.map.get(arrived), arrived, 'through the map');
      assert.ok(arrived.set.has(arrived), 'through the set');
      assert.equal(arrived.error.cause, arrived, 'through the error');
    },
  },
  {
    id: 'codec/references/shared-in-large',
    title: 'carries a thousand parts that are in a value twice as a thousand parts',
    promise: 'equal-or-refused',
    needs: needsReferences,
    run: async ({ codec }) => {
      const parts = Array.from({ length: 1000 }, (_, id) => ({ id }));
      const arrived = carried(codec, [...parts, ...parts]);
      assert.equal(new Set(arrived).size, 1000);
      for (let at = 0; at < 1000; at += 1) assert.equal(arrived[at], arrived[at + 1000]);
    },
  },
];

export const referenceCases: readonly CodecCase[] = [
  ...sharedCases,
  {
    id: 'codec/references/refs',
    title: 'carries references to stored results, wherever they stand',
    promise: 'references-resolved',
    run: async ({ codec }) => {
      const value = [OTHER, { a: undefined, b: OTHER }, new Map([[ONE, OTHER]]), new Set([ONE])] as const;
      const arrived = codec.decode(codec.encode(value), { reference: asReference }) as typeof value;
      assert.deepEqual(dataOf(arrived[0]), OTHER.data);
      assert.deepEqual(dataOf(arrived[1].b), OTHER.data);
      const [[key, item] = []] = [...arrived[2]];
      assert.deepEqual([dataOf(key), dataOf(item)], [ONE.data, OTHER.data]);
      assert.deepEqual(dataOf([...arrived[3]][0]), ONE.data);
    },
  },
  {
    id: 'codec/references/resolved-refs',
    title: 'puts in the place of a reference what the receiver has for it',
    promise: 'references-resolved',
    run: async ({ codec }) => {
      const encoded = codec.encode({ a: [ONE], b: OTHER });
      const arrived = codec.decode(encoded, { reference: ({ node }) => ({ first: node[0] }) });
      assert.deepEqual(arrived, { a: [{ first: 0x6e }], b: { first: 0x75 } });
    },
  },
  {
    id: 'codec/references/unwanted-refs',
    title: 'refuses a reference where none is expected',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      assertRefuses(() => codec.decode(codec.encode([ONE])), 'BYTES_MALFORMED');
    },
  },
  {
    id: 'codec/references/listed-refs',
    title: 'lists the references in a value without decoding it, each once',
    promise: 'references-resolved',
    run: async ({ codec }) => {
      assert.deepEqual([...codec.references(codec.encode({ a: [1, 'x'] }))], []);
      const listed = codec.references(codec.encode({ a: [ONE, OTHER], b: new Map([[1, ONE]]) }));
      const keys = listed.map(({ key }) => key).toSorted();
      assert.deepEqual(keys, [ONE.data.key, OTHER.data.key].toSorted());
    },
  },
];

function dataOf(value: unknown): unknown {
  assert.ok(value instanceof Reference, 'it is no reference');
  const data = referenceData(value);
  return data && { ...data, node: Uint8Array.from(data.node) };
}
