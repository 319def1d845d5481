import { createHash } from 'node:crypto';
import { ReadableStream } from 'node:stream/web';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { REFERENCE_NODE_BYTES } from '../../src/model/reference.js';
import { finishedNode, type UnfinishedNode } from '../../src/model/unfinished-node.js';
import { notationSerializers } from '../../src/compliance/digest-notation.js';
import { referenceDigest, referenceNode } from './digest-reference.js';
import { graph, tree } from './digest-values.js';
import { countingBytes, LentBlob, referenceTo } from './stored-value.js';

const codec = new MsgpackrCodec({ serializers: notationSerializers });
const refTo = (value: unknown): object => referenceTo(codec.digestNode(value));
const hasCycle = (value: unknown): boolean => codec.digestNode(value)[0] === 0x47;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

/** All places in which a value may stand. */
const PLACES: readonly (readonly [string, (value: unknown) => unknown])[] = [
  ['alone', (value) => value],
  ['in an array', (value) => [value]],
  ['in a property', (value) => ({ a: 1, b: value, c: 2 })],
  ['as a key and a value of a map', (value) => new Map([[value, value]])],
  ['in a set', (value) => new Set([1, value])],
  ['in an array with holes', (value) => Object.assign(Array(3), { 1: value })],
  ['in the cause of an error', (value) => new Error('e', { cause: value })],
  ['twice, and deeper once', (value) => [value, { deep: [[value]] }, value]],
  ['in an array of 4096 bytes', (value) => ['x'.repeat(4096 - 5 - 9), value]],
];

describe('a reference', () => {
  it.each(PLACES)('counts as the value it stands for, whatever that is, %s', (_, placed) => {
    fc.assert(
      fc.property(fc.oneof(tree, graph), (value) => {
        // Maps and Sets turn -0 into 0, which a reference to it can only become later.
        fc.pre(!hasCycle(value) && !Object.is(value, -0));
        expect(codec.digest(placed(refTo(value)))).toBe(codec.digest(placed(value)));
      }),
      { numRuns: 300 },
    );
  });

  it.each(['x', 'ü', '\ud800'])('counts as the text it stands for, at any length of %j', (unit) => {
    for (let bytes = 4070; bytes < 4110; bytes += 1) {
      const text = unit.repeat(Math.ceil(bytes / Buffer.from(unit, 'utf16le').length));
      const other = unit.repeat(bytes);
      for (const value of [text, other]) {
        expect(codec.digest([refTo(value)])).toBe(codec.digest([value]));
        expect(codec.digest(refTo(value))).toBe(codec.digest(value));
      }
    }
  });

  it('to a reference counts as the value as well', () => {
    const value = { a: [1, 'x'.repeat(5000)] };
    expect(codec.digest([refTo(refTo(value))])).toBe(codec.digest([value]));
    expect(codec.digest([refTo([refTo(value)])])).toBe(codec.digest([[value]]));
  });

  it('counts the same wherever its result lies', () => {
    const node = codec.digestNode([1]);
    const elsewhere = referenceTo(node, { store: 'fs:other', key: 'f'.repeat(64), byteLength: 5 });
    expect(codec.digest([elsewhere])).toBe(codec.digest([[1]]));
  });

  it('counts as its own value in a value with a cycle', () => {
    const loopOf = (part: unknown): unknown => {
      const loop: unknown[] = [part, part];
      loop.push(loop);
      return loop;
    };
    expect(codec.digest(loopOf(refTo(1)))).toBe(codec.digest(loopOf(1)));
    expect(codec.digest(loopOf(refTo([1])))).not.toBe(codec.digest(loopOf([2])));
    expect(codec.digest(loopOf(refTo([1])))).toBe(referenceDigest(loopOf(refTo([1]))));
  });
});

describe('what stands for a value', () => {
  it('is what the specification says, and at most 4096 bytes', () => {
    fc.assert(
      fc.property(fc.oneof(tree, graph), (value) => {
        const node = codec.digestNode(value);
        expect(hex(node)).toBe(hex(referenceNode(value, notationSerializers)));
        expect(node.byteLength).toBeLessThanOrEqual(REFERENCE_NODE_BYTES);
        expect(node.buffer.byteLength).toBe(node.byteLength);
      }),
      { numRuns: 500 },
    );
  });

  it('is the digest of a value with a cycle', () => {
    const loop: unknown[] = [1];
    loop.push(loop);
    expect(hex(codec.digestNode(loop))).toBe(`47${codec.digest(loop)}`);
  });

  it('is refused like the digest, with the path', () => {
    expect(() => codec.digestNode({ f() {} }, { path: 'result' })).toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringMatching(/^result\.f is a function/),
      }),
    );
  });
});

describe('a stream', () => {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield Uint8Array.of(1);
  }
  const blob = (length: number): LentBlob => new LentBlob(countingBytes(length), 100);
  const nodeOf = (stream: object, content: LentBlob): string =>
    hex(codec.digestNode([stream], { streams: new Map([[stream, content]]) }));

  it('counts with its kind, its length and the digest of its content', () => {
    expect(nodeOf(source(), blob(300))).toBe(`410100000059690000000000c07240${blob(300).digest}`);
    expect(nodeOf(new ReadableStream(), blob(1))).toBe(`41010000005977000000000000f03f${blob(1).digest}`);
  });

  it('counts as the bytes of its class do not', () => {
    const [one, other] = [codec.digestNode([countingBytes(300)]), nodeOf(source(), blob(300))];
    expect(hex(one)).not.toBe(other);
  });

  it('is refused when its content is not known', () => {
    expect(() => codec.digestNode({ log: source() }, { path: 'result', streams: new Map() })).toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringMatching(/^result\.log is a stream of unknown content/),
      }),
    );
    expect(() => codec.digestNode([source()])).toThrow(/^value\[0\] is a stream of unknown content/);
  });

  it('counts in a value with a cycle', () => {
    const log = source();
    const loop: unknown[] = [log];
    loop.push(loop);
    const streams = new Map([[log, blob(5)]]);
    expect(hex(codec.digestNode(loop, { streams }))).toBe(hex(referenceNode(loop, [], streams)));
  });
});

describe('what stands for a value, unfinished', () => {
  const LARGE = 5000;
  /** As if a store were to keep every part of at least `LARGE` bytes. */
  function partsOf(value: unknown): ReadonlyMap<number, Uint8Array> {
    const parts = codec.encode(value).buffers.map((bytes, index) => [index + 1, bytes] as const);
    return new Map(parts.filter(([, bytes]) => bytes.byteLength >= LARGE));
  }
  const unfinished = (value: unknown): UnfinishedNode => codec.unfinishedDigestNode(value, partsOf(value));
  const finished = (value: unknown): string => {
    const parts = partsOf(value);
    const digestOf = (part: number): string =>
      createHash('sha256')
        .update(parts.get(part) ?? '')
        .digest('hex');
    return hex(finishedNode(unfinished(value), digestOf));
  };
  const floats = (seed: number): Float64Array => new Float64Array(LARGE / 8).fill(seed);
  const memory = countingBytes(3 * LARGE).buffer;
  const array = floats(1);

  it.each<[string, unknown, number]>([
    ['large bytes', floats(1), 1],
    ['large bytes in an object', { rows: 2, weights: floats(1), bias: floats(2) }, 2],
    ['large bytes that are there twice', [array, { again: array }], 2],
    ['short and large bytes', [floats(1), new Uint8Array(4500), Uint8Array.of(1)], 1],
    ['views of different parts of one memory', [new Uint8Array(memory, 0, LARGE), new Uint8Array(memory)], 1],
    [
      'views of one memory of which none is all',
      [new Uint8Array(memory, 8, 40), new Uint8Array(memory, 60)],
      0,
    ],
    ['small values', { a: [1, 'x', Uint8Array.of(1)] }, 0],
    ['a large text behind large bytes', [floats(1), 'x'.repeat(5000)], 1],
    ['large bytes in a container that is folded', [floats(1), 'x'.repeat(4070)], 0],
    ['large bytes among very many items', [floats(1), ...Array<number>(10_000).fill(1)], 0],
  ])(
    'has gaps for the parts that are large bytes, and is right when they are filled: %s',
    (_, value, gaps) => {
      expect(unfinished(value).gaps).toHaveLength(gaps);
      expect(finished(value)).toBe(hex(codec.digestNode(value)));
      expect(finished(value)).toBe(hex(referenceNode(value)));
    },
  );

  it('has no gap in a value with a cycle', () => {
    const loop: unknown[] = [floats(1)];
    loop.push(loop);
    expect(unfinished(loop)).toEqual({ bytes: codec.digestNode(loop), gaps: [] });
  });

  it('is that of the bytes which the gap is filled for, whatever the memory holds by then', () => {
    const value = { weights: floats(1) };
    const node = unfinished(value);
    const digest = createHash('sha256').update(floats(1)).digest('hex');
    value.weights.fill(7);
    expect(hex(finishedNode(node, () => digest))).toBe(hex(codec.digestNode({ weights: floats(1) })));
  });

  it('leaves no trace in the nodes that are made afterwards', () => {
    unfinished([floats(1)]);
    expect(unfinished([2]).gaps).toEqual([]);
    expect(hex(codec.digestNode([floats(1)]))).toBe(hex(referenceNode([floats(1)])));
  });

  it('is refused like the digest, with the path', () => {
    const made = (): unknown => codec.unfinishedDigestNode([() => 1], new Map(), { path: 'result' });
    expect(made).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }));
    expect(made).toThrow(/^result\[0\] is a function/);
  });
});
