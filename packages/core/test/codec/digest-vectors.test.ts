import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { notationSerializers, valueOfNotation } from './digest-notation.js';
import { canonicalBytes, referenceDigest } from './digest-reference.js';

interface Vector {
  readonly name: string;
  /** In the notation of docs/digest.md. */
  readonly value: unknown;
  /** Name of an earlier vector whose value counts as the same. */
  readonly sameAs?: string;
  readonly bytes?: string;
  readonly digest: string;
}
interface Vectors {
  readonly vectors: readonly Vector[];
  readonly refused: readonly { readonly name: string; readonly value: unknown; readonly code: string }[];
}

const read = (name: string): string =>
  readFileSync(new URL(`../../../../docs/${name}`, import.meta.url), 'utf8');
const { vectors, refused } = JSON.parse(read('digest-vectors.json')) as Vectors;
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
    for (const name of ['the example of docs/digest.md', 'the example of docs/digest.md with folding']) {
      expect(hex.join('').replaceAll(' ', '')).toContain(
        vectors.find((vector) => vector.name === name)?.bytes,
      );
    }
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
      expect(codec.digest(codec.decode(encoded))).toBe(digest);
    });
  });

  it.each(refused)('$name is refused as $code', ({ value, code }) => {
    expect(() => codec.digest(valueOfNotation(value))).toThrow(expect.objectContaining({ code }));
  });
});

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 8 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom('', 'name', 'message', 'stack', '__proto__', 'constructor', '\uffff', '\u{10000}'),
  fc
    .tuple(fc.integer({ min: 4080, max: 4100 }), fc.constantFrom('x', 'ü'))
    .map(([n, piece]) => piece.repeat(n)),
);
const leaf = fc.oneof(
  fc.constantFrom(undefined, null, true, false, 0, -0, NaN, Infinity, -Infinity),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  text,
  fc.date(),
  fc.uint8Array(),
  fc.uint8Array({ minLength: 4075, maxLength: 4100 }),
  fc.float32Array(),
  fc.bigInt64Array(),
  fc.boolean().map((flag) => Object(flag) as unknown),
  text.map((source) => Object(source) as unknown),
  fc.webUrl().map((href) => new URL(href)),
  fc.constantFrom(
    /a/g,
    /\//u,
    new RegExp(''),
    new ArrayBuffer(3),
    new DataView(new ArrayBuffer(2)),
    Buffer.of(7),
  ),
  fc.integer({ min: 440, max: 460 }).map((length) => Array.from({ length }, (_, index) => index)),
);
const tree = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    leaf,
    fc.array(tie('any'), { maxLength: 6 }),
    fc.sparseArray(tie('any'), { maxNumElements: 4, maxLength: 50 }),
    fc.dictionary(text, tie('any'), { maxKeys: 6, noNullPrototype: false }),
    fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 4 }).map((entries) => new Map(entries)),
    fc.array(tie('any'), { maxLength: 4 }).map((items) => new Set(items)),
    fc.tuple(text, tie('any'), tie('any')).map(([message, cause, code]) => failure(message, cause, code)),
    tie('any').map((plain) => valueOfInstance(plain)),
  ),
})).any;

/** Containers with references to one another in every direction. */
const graph = fc
  .array(fc.tuple(fc.nat(4), fc.array(fc.nat(11), { maxLength: 4 }), leaf), { minLength: 1, maxLength: 6 })
  .map((nodes) => {
    const containers = nodes.map(([kind]) => emptyContainer(kind));
    for (const [at, [, targets, item]] of nodes.entries()) {
      // An index beyond the containers stands for the item: a leaf, and one object however often it is met.
      for (const target of targets) addTo(containers[at], containers[target] ?? item);
    }
    return containers[0];
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

function failure(message: string, cause: unknown, code: unknown): Error {
  return Object.assign(new RangeError(message, { cause }), { code });
}

function valueOfInstance(plain: unknown): unknown {
  const instance = valueOfNotation({ instance: ['example/Point', null] }) as { plain: unknown };
  instance.plain = plain;
  return instance;
}

function emptyContainer(kind: number): object {
  return [[], {}, new Map(), new Set(), new Error('e')][kind] ?? [];
}

function addTo(container: object | undefined, value: unknown): void {
  if (Array.isArray(container)) container.push(value);
  else if (container instanceof Map) container.set(value, container.size);
  else if (container instanceof Set) container.add(value);
  else if (container) Object.assign(container, { [`k${Object.keys(container).length}`]: value });
}
