import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';

const codec = new MsgpackrCodec();
const digest = (value: unknown): string => codec.digest(value);

const sparse = [1, , 3]; // oxlint-disable-line no-sparse-arrays -- the hole is what is tested

describe('digests differ for', () => {
  it.each<[string, unknown, unknown]>([
    ['a number and its text', 1, '1'],
    ['a number and a bigint', 1, 1n],
    ['a number and a date', 5, new Date(5)],
    ['a number and a boxed one', 5, Object(5)],
    ['0 and -0', 0, -0],
    ['NaN and null', NaN, null],
    ['undefined and null', [undefined], [null]],
    ['undefined and a hole', [1, undefined, 3], sparse],
    ['an undefined and a missing property', { a: undefined }, {}],
    ['true and 1', true, 1],
    ['lists of numbers and of texts', [1, 2], ['1', '2']],
    ['the same entries nested otherwise', { a: { b: 1 }, c: 2 }, { a: { b: 1, c: 2 } }],
    ['the same items grouped otherwise', [[1], 2], [[1, 2]]],
    ['texts split otherwise', ['ab', 'c'], ['a', 'bc']],
    ['a map and an object', new Map([['a', 1]]), { a: 1 }],
    ['a set and an array', new Set([1]), [1]],
    [
      'maps in another order',
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      new Map([
        ['b', 2],
        ['a', 1],
      ]),
    ],
    ['sets in another order', new Set([1, 2]), new Set([2, 1])],
    ['an array and an object with its indices', ['a'], { 0: 'a' }],
    ['an object and one without prototype', {}, Object.create(null)],
    ['Float32Array and Float64Array', Float32Array.of(1, 2), Float64Array.of(1, 2)],
    ['typed arrays of the same bytes', new Int8Array(8), new Uint8Array(8)],
    ['a typed array and an array', Uint8Array.of(1), [1]],
    ['Buffer and Uint8Array', Buffer.of(1), Uint8Array.of(1)],
    ['an ArrayBuffer and its view', new ArrayBuffer(4), new Uint8Array(4)],
    ['strings with other lone surrogates', '\ud800', '\udc00'],
    ['a lone surrogate and what replaces it', '\ud800', '\ufffd'],
    ['errors of other classes', new Error('e'), new TypeError('e')],
    ['errors of other messages', new Error('e'), new Error('f')],
    [
      'errors of other codes',
      Object.assign(new Error('e'), { code: 1 }),
      Object.assign(new Error('e'), { code: 2 }),
    ],
    ['errors of other causes', new Error('e', { cause: 1 }), new Error('e', { cause: 2 })],
    ['an error and its parts', new Error('e'), { name: 'Error', message: 'e' }],
    ['regular expressions with other flags', /a/g, /a/i],
    ['a URL and its text', new URL('http://a/'), 'http://a/'],
    ['bigints of other sign', 5n, -5n],
    ['long texts that differ at their end', `${'x'.repeat(9999)}a`, `${'x'.repeat(9999)}b`],
    ['large arrays that differ at their end', [...Array(9999).keys(), 'a'], [...Array(9999).keys(), 'b']],
    ['lone cycles and longer ones', loop(1), loop(2)],
  ])('%s', (_, one, other) => {
    expect(digest(one)).not.toBe(digest(other));
  });
});

describe('digests are equal for', () => {
  it.each<[string, unknown, unknown]>([
    ['objects in another key order', { a: 1, b: { c: 2, d: 3 } }, { b: { d: 3, c: 2 }, a: 1 }],
    [
      'typed arrays at another offset',
      Float64Array.of(7, 8),
      new Float64Array(Float64Array.of(0, 7, 8).buffer, 8),
    ],
    ['large views at another offset', new Uint8Array(9000), new Uint8Array(9999).subarray(999)],
    ['errors with other stacks', errorFrom('here'), errorFrom('there')],
    ['equal cycles', loop(2), loop(2)],
    ['equal parts and one shared part', shared(), copied()],
    ['large equal parts and one shared part', shared(3000), copied(3000)],
    ['views that share memory and views that do not', viewsOfOne(), [new Uint8Array(8), new Uint8Array(8)]],
    ['NaNs of any bits', NaN, Number(undefined)],
  ])('%s', (_, one, other) => {
    expect(digest(one)).toBe(digest(other));
  });
});

describe('a digest', () => {
  // These are part of the format: a change that breaks them makes every stored result unreachable.
  it.each<[string, unknown, string]>([
    ['null', null, 'd88aeba9f5a1e8eeee42fef2ae5d1221ec7917828df389f933f559c59d96fd80'],
    [
      'small arguments',
      [{ epochs: 3, rate: 0.5, name: 'x' }, [1, 2, 3]],
      'bd3faaa7f1d7bd88bcf2a926747373c54cf07477822a0542cd744f62cdb58130',
    ],
    [
      'one of each kind',
      [undefined, -0, 12n, 'ü', new Date(5), /a/g, new Map([[1, new Set([true])]]), Float64Array.of(1)],
      'fd2a01d97dde9dcb2f4eb19a61915889dd22846fae34bbf7d9ea72ddb3ad28c2',
    ],
    [
      'a large value',
      Array.from({ length: 3000 }, (_, id) => ({ id, name: `n${id}` })),
      '181b4c2c099c150c2fc5306b2d32bc69efc8ec2f0bb8d2566b0950147830aee6',
    ],
    ['a cycle', loop(1), '8ebb27e383346e3b1df1ce86e653e1c97d5308fff66c75200825997f2c0e51c5'],
  ])('of %s is fixed', (_, value, hex) => {
    expect(digest(value)).toBe(hex);
  });

  it('is the SHA-256 of the bytes that digest-walk.ts describes', () => {
    const domain = Buffer.from('routine-engine/digest/1');
    const length = Buffer.alloc(8);
    length.writeDoubleLE(domain.length);
    const bytes = Buffer.concat([Buffer.from('s'), length, domain, Buffer.from('t'), Buffer.from('n')]);
    expect(digest(null)).toBe(createHash('sha256').update(bytes).digest('hex'));
  });

  it('of many references to one large part takes no longer than one', () => {
    let value: unknown = new Float64Array(1000);
    for (let level = 0; level < 60; level += 1) value = [value, value, 'x'.repeat(100)];
    expect(digest(value)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of small parts that share parts ends', () => {
    let value: unknown = {};
    for (let level = 0; level < 100; level += 1) value = [value, value];
    expect(digest(value)).toMatch(/^[0-9a-f]{64}$/);
  });

  it('of a graph with many ways through it ends', () => {
    const nodes: unknown[][] = Array.from({ length: 60 }, () => []);
    for (const node of nodes) node.push(...nodes);
    expect(digest(nodes)).toBe(digest(codec.decode(codec.encode(nodes))));
  });

  it('may be asked for while another one is being made', () => {
    class Nested {}
    const own = new MsgpackrCodec({
      serializers: [
        {
          key: 'test/nested',
          claims: (value): value is Nested => value instanceof Nested,
          serialize: () => codec.digest(['inside', 'x'.repeat(40_000)]),
          deserialize: () => new Nested(),
        },
      ],
    });
    const before = own.digest(['before', new Nested(), 'after']);
    expect(own.digest(['before', new Nested(), 'after'])).toBe(before);
    expect(before).not.toBe(own.digest(['other', new Nested(), 'after']));
  });
});

function loop(length: number): unknown {
  const first: Record<string, unknown> = {};
  let last = first;
  for (let index = 1; index < length; index += 1) {
    const next = {};
    last['next'] = next;
    last = next;
  }
  last['next'] = first;
  return first;
}

function part(size: number): unknown {
  return { items: Array.from({ length: size }, (_, index) => index) };
}
function shared(size = 2): unknown {
  const one = part(size);
  return [one, { again: one }];
}
function copied(size = 2): unknown {
  return [part(size), { again: part(size) }];
}
function viewsOfOne(): unknown {
  const memory = new ArrayBuffer(8);
  return [new Uint8Array(memory), new Uint8Array(memory)];
}
function errorFrom(place: string): Error {
  const error = new Error('e');
  error.stack = `Error: e\n    at ${place}`;
  return error;
}
