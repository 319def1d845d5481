import assert from 'node:assert/strict';
import { finishedNode } from '../model/unfinished-node.js';
import { asReference, assertRefuses, countingBytes, sha256, valueReference } from './codec-samples.js';
import type { CodecAbilities, CodecCase } from './codec-subject.js';
import { notationSerializers, valueOfNotation, withStreamsOfNotation } from './digest-notation.js';
import { goldenDigests, goldenNodes, goldenRefusals } from './digest-vectors.js';

const needsGolden = (can: CodecAbilities): string | undefined =>
  can.goldenDigests ? undefined : 'the codec has a definition of digests of its own';
const needsUnfinished = (can: CodecAbilities): string | undefined =>
  can.unfinishedNodes ? undefined : 'the codec has no unfinished nodes';

function holes(length: number): unknown[] {
  const array: unknown[] = [];
  array.length = length;
  return array;
}

/** Values that are all different, which a user would tell apart. */
const DIFFERENT: readonly (() => unknown)[] = [
  () => undefined,
  () => null,
  () => false,
  () => 0,
  () => -0,
  () => NaN,
  () => 1,
  () => 1n,
  () => '1',
  () => '',
  () => [],
  () => ({}),
  () => new Map(),
  () => new Set(),
  () => Object.create(null) as unknown,
  () => [1, 2],
  () => [2, 1],
  () => [[1], 2],
  () => [[1, 2]],
  () => ({ a: undefined }),
  () => ({ a: null }),
  () => ({ a: 1 }),
  () => ({ b: 1 }),
  () => new Map([['a', 1]]),
  () =>
    new Map<string, number>([
      ['a', 1],
      ['b', 2],
    ]),
  () =>
    new Map<string, number>([
      ['b', 2],
      ['a', 1],
    ]),
  () => new Set([1, 2]),
  () => new Set([2, 1]),
  () => new Date(0),
  () => new Date(NaN),
  () => /a/,
  () => /a/g,
  () => Object(1) as unknown,
  () => new URL('https://a.b/'),
  () => 'https://a.b/',
  () => Uint8Array.of(1),
  () => Int8Array.of(1),
  () => Buffer.of(1),
  () => Uint8Array.of(1).buffer,
  () => Uint8Array.of(1, 0),
  () => Float32Array.of(1),
  () => Float64Array.of(1),
  () => holes(1),
  () => [undefined],
  () => [undefined, undefined],
  () => holes(2),
  () => new Uint8Array(5000),
  () => new Uint8Array(5001),
  () => 'x'.repeat(5000),
  () => 'x'.repeat(5001),
  () => Object.assign(new Error('e'), { stack: '' }),
  () => Object.assign(new TypeError('e'), { stack: '' }),
];

export const digestCases: readonly CodecCase[] = [
  {
    id: 'codec/digests/form',
    title: 'gives digests of 64 lower-case hex digits, the same each time',
    promise: 'digest-defined',
    run: async ({ codec, create }) => {
      for (const make of DIFFERENT) {
        assert.match(codec.digest(make()), /^[0-9a-f]{64}$/);
        assert.equal(create([]).digest(make()), codec.digest(make()));
      }
    },
  },
  {
    id: 'codec/digests/different-values',
    title: 'gives different values different digests',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      const digests = DIFFERENT.map((make) => codec.digest(make()));
      for (const [at, digest] of digests.entries()) {
        const first = digests.indexOf(digest);
        assert.equal(first, at, `the values ${first} and ${at} of the list have one digest`);
      }
    },
  },
  {
    id: 'codec/digests/key-order',
    title: 'gives objects the same digest whatever the order of their keys',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      const one = codec.digest([{ a: 1, b: { x: 1, y: 2 }, 10: 'x' }]);
      assert.equal(codec.digest([{ 10: 'x', b: { y: 2, x: 1 }, a: 1 }]), one);
    },
  },
  {
    id: 'codec/digests/offsets',
    title: 'gives binary values the same digest wherever they lie in memory',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      for (const length of [8, 4096, 9000]) {
        const bytes = countingBytes(length);
        const around = new Uint8Array(length + 24).fill(0xee);
        around.set(bytes, 8);
        assert.equal(codec.digest(around.subarray(8, 8 + length)), codec.digest(bytes));
      }
    },
  },
  {
    id: 'codec/digests/parts-apart',
    title: 'gives a value the same digest whether equal parts of it are one object or two',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      const part = { a: ['x'.repeat(5000)] };
      assert.equal(codec.digest([part, part]), codec.digest([part, structuredClone(part)]));
    },
  },
  {
    id: 'codec/digests/arrivals',
    title: 'gives what arrives the digest of what was sent',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      for (const make of DIFFERENT) {
        const value = { a: [make(), 'x'.repeat(5000)] };
        assert.equal(codec.digest(codec.decode(codec.encode(value))), codec.digest(value));
      }
    },
  },
  {
    id: 'codec/digests/nodes',
    title: 'gives a reference the digest of the value that it stands for',
    promise: 'references-resolved',
    run: async ({ codec }) => {
      for (const make of DIFFERENT) {
        const node = codec.digestNode(make());
        assert.ok(node.byteLength > 0 && node.byteLength <= 4096, `the node has ${node.byteLength} bytes`);
        const reference = valueReference(node);
        assert.equal(codec.digest([reference, 1]), codec.digest([make(), 1]));
        const arrived = codec.decode(codec.encode([reference, 1]), { reference: asReference });
        assert.equal(codec.digest(arrived), codec.digest([make(), 1]));
      }
    },
  },
  {
    id: 'codec/digests/golden',
    title: 'gives the digests of the golden vectors',
    promise: 'digest-defined',
    needs: needsGolden,
    run: async ({ create }) => {
      const codec = create(notationSerializers);
      for (const [name, notation, digest] of goldenDigests) {
        assert.equal(codec.digest(valueOfNotation(notation)), digest, name);
      }
    },
  },
  {
    id: 'codec/digests/golden-nodes',
    title: 'has values stood for by the bytes of the golden vectors, streams too',
    promise: 'digest-defined',
    needs: needsGolden,
    run: async ({ create }) => {
      const codec = create(notationSerializers);
      for (const [name, notation, node] of goldenNodes) {
        const { value, streams } = withStreamsOfNotation(notation);
        assert.equal(Buffer.from(codec.digestNode(value, { streams })).toString('hex'), node, name);
      }
    },
  },
  {
    id: 'codec/digests/golden-refusals',
    title: 'refuses to digest what the golden vectors say, with their codes',
    promise: 'digest-defined',
    needs: needsGolden,
    run: async ({ create }) => {
      const codec = create(notationSerializers);
      for (const [, notation, code] of goldenRefusals) {
        const value = valueOfNotation(notation);
        assertRefuses(() => codec.digest(value), code);
      }
    },
  },
  {
    id: 'codec/digests/unfinished-nodes',
    title: 'leaves gaps for hashes in a node that fit when they are filled in',
    promise: 'digest-defined',
    needs: needsUnfinished,
    run: async ({ codec }) => {
      const value = { weights: countingBytes(20_000), names: ['a', 'b'], more: countingBytes(9000) };
      const { head, buffers } = codec.encode(value);
      const parts = new Map([head, ...buffers].map((bytes, part) => [part, bytes]));
      const unfinished = codec.unfinishedDigestNode?.(value, parts);
      assert.ok(unfinished, 'it gives none');
      const node = finishedNode(unfinished, (part) => sha256(parts.get(part) ?? head));
      assert.equal(codec.digest(valueReference(node)), codec.digest(value));
    },
  },
];
