import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import {
  notationSerializers,
  valueOfNotation,
  withStreamsOfNotation,
} from '../../src/compliance/digest-notation.js';
import { goldenDigests, goldenNodes, goldenRefusals } from '../../src/compliance/digest-vectors.js';
import { canonicalBytes, referenceDigest, referenceNode } from './digest-reference.js';
import { graph, tree } from './digest-values.js';
import { referenceTo, StoredValue } from './stored-value.js';

interface Vector {
  readonly name: string;
  /** In the notation of docs/digest.md. */
  readonly value: unknown;
  /** Name of an earlier vector whose value counts as the same. */
  readonly sameAs?: string;
  readonly bytes?: string;
  readonly digest: string;
}
interface NodeVector {
  readonly name: string;
  readonly value: unknown;
  /** In hexadecimal digits. */
  readonly node: string;
}
interface Vectors {
  readonly vectors: readonly Vector[];
  readonly nodes: readonly NodeVector[];
  readonly refused: readonly { readonly name: string; readonly value: unknown; readonly code: string }[];
}

const read = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
const { vectors, nodes, refused } = JSON.parse(read('digest-vectors.json')) as Vectors;
const codec = new MsgpackrCodec({ serializers: notationSerializers });
const INLINE_HEX = 400;

describe('docs/digest-vectors.json', () => {
  it('has a name of its own for each of at least 60 vectors', () => {
    expect(new Set(vectors.map(({ name }) => name)).size).toBe(vectors.length);
    expect(vectors.length).toBeGreaterThanOrEqual(60);
  });

  it('has other digests for other values, and the same only where it says so', () => {
    const firstOf = new Map<string, string>();
    for (const { name, digest, sameAs } of vectors) {
      expect(firstOf.get(digest), name).toBe(sameAs);
      if (sameAs === undefined) firstOf.set(digest, name);
    }
  });

  it('has the examples of docs/digest.md', () => {
    const lines = read('digest.md').split('\n');
    const hex = lines
      .map((line) => line.trim().split(/ {3,}/)[0] ?? '')
      .filter((line) => /^[\da-f ]+$/.test(line));
    for (const name of [
      'the example of docs/digest.md',
      'the example of docs/digest.md with folding',
      'Float64Array of 8000 bytes',
    ]) {
      expect(hex.join('').replaceAll(' ', '')).toContain(
        vectors.find((vector) => vector.name === name)?.bytes,
      );
    }
  });

  it('is what the compliance kit has, but for a few long ones', () => {
    const short = <T extends { value: unknown }>(list: readonly T[]): readonly T[] =>
      list.filter(({ value }) => JSON.stringify(value).length < 1000);
    // `node scripts/golden-vectors.mjs` brings it up to date.
    expect(goldenDigests).toEqual(short(vectors).map(({ name, value, digest }) => [name, value, digest]));
    expect(goldenNodes).toEqual(nodes.map(({ name, value, node }) => [name, value, node]));
    expect(goldenRefusals).toEqual(refused.map(({ name, value, code }) => [name, value, code]));
    expect(goldenDigests.length).toBeGreaterThan(vectors.length - 10);
  });

  describe.each(vectors)('$name', ({ value, bytes, digest }) => {
    it('has that digest', () => {
      expect(codec.digest(valueOfNotation(value))).toBe(digest);
    });

    it('has that digest and those bytes by the specification alone', () => {
      const canonical = canonicalBytes(valueOfNotation(value), notationSerializers);
      expect(createHash('sha256').update(canonical).digest('hex')).toBe(digest);
      const hex = canonical.toString('hex');
      expect(bytes).toBe(hex.length > INLINE_HEX ? undefined : hex);
    });

    it('has that digest when it arrives elsewhere', () => {
      const encoded = codec.encode(valueOfNotation(value));
      const arrived = codec.decode(encoded, { reference: (data) => new StoredValue(data) });
      expect(codec.digest(arrived)).toBe(digest);
    });
  });

  describe.each(nodes)('what stands for $name', ({ value: notation, node }) => {
    const { value, streams } = withStreamsOfNotation(notation);

    it('are those bytes', () => {
      expect(Buffer.from(codec.digestNode(value, { streams })).toString('hex')).toBe(node);
    });

    it('are those bytes by the specification alone', () => {
      expect(referenceNode(value, notationSerializers, streams).toString('hex')).toBe(node);
    });

    it('are the bytes of a reference to it', () => {
      const reference = referenceTo(Buffer.from(node, 'hex'));
      expect(Buffer.from(codec.digestNode(reference)).toString('hex')).toBe(node);
      expect(canonicalBytes([reference]).toString('hex')).toMatch(new RegExp(`7441010{6}${node}$`));
    });
  });

  it.each(refused)('$name is refused as $code', ({ value, code }) => {
    expect(() => codec.digest(valueOfNotation(value))).toThrow(expect.objectContaining({ code }));
  });
});

describe('the codec and the specification agree', () => {
  it('on trees of any kind', () => {
    fc.assert(fc.property(tree, agree), { numRuns: 1000 });
  });

  it('on graphs with shared parts and cycles', () => {
    fc.assert(fc.property(graph, agree), { numRuns: 2000 });
  });

  it('on what arrives elsewhere', () => {
    fc.assert(
      fc.property(fc.oneof(tree, graph), (value) => {
        const arrived = codec.decode(codec.encode(value), { copy: true });
        expect(referenceDigest(arrived, notationSerializers)).toBe(codec.digest(value));
      }),
      { numRuns: 500 },
    );
  });
});

function agree(value: unknown): void {
  expect(codec.digest(value)).toBe(referenceDigest(value, notationSerializers));
}
