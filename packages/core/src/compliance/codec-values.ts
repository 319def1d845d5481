import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { assertCarried, carried } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

function holesAtTheEnd(): unknown[] {
  const array: unknown[] = [1, 2];
  array.length = 7;
  return array;
}

function farApart(): unknown[] {
  const array: unknown[] = [];
  array[4_000_000_000] = 'far';
  return array;
}

function expressionInUse(): RegExp {
  return Object.assign(/a/g, { lastIndex: 3 });
}

/** What has to arrive equal: the last part of the id, the sentence, and how it is made. */
const VALUES: readonly (readonly [name: string, what: string, make: () => unknown])[] = [
  ['undefined', 'undefined', () => undefined],
  ['null-and-booleans', 'null and booleans', () => [null, true, false]],
  [
    'integers',
    'integers of every width',
    () => [0, 1, -1, 127, 128, -32, -33, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, -(2 ** 31) - 1],
  ],
  ['large-numbers', 'integers beyond 2^53', () => [2 ** 53 + 2, -(2 ** 64), Number.MAX_VALUE]],
  ['fractions', 'fractions to the last digit', () => [0.1, -1e-320, Math.PI, Number.MIN_VALUE]],
  ['minus-zero', 'minus zero', () => [-0, 0, { zero: -0 }]],
  ['not-finite', 'NaN and the infinities', () => [NaN, Infinity, -Infinity]],
  ['bigints', 'bigints of any size', () => [0n, -1n, 2n ** 63n, -(2n ** 64n), 17n ** 400n]],
  [
    'strings',
    'strings of every script and of many lengths',
    () => ['', 'a', 'ü', '日本', '😀', 'x'.repeat(70_000)],
  ],
  [
    'lone-surrogates',
    'strings with lone surrogates',
    () => ['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(100)}\ud83d`, { '\ud800': 1 }],
  ],
  [
    'byte-order-marks',
    'strings that begin with a byte order mark',
    () => ['\ufeff', { '\ufeffk': `\ufeff${'x'.repeat(200)}` }],
  ],
  ['null-characters', 'strings with the character U+0000', () => ['\0', ['\0u'], ['\0', -0], 'a\0b']],
  [
    'dates',
    'dates, also the first and the last',
    () => [0, -8.64e15, 8.64e15, 1_700_000_000_123].map((at) => new Date(at)),
  ],
  [
    'regular-expressions',
    'regular expressions with their flags and their place',
    () => [/a+\/b/giu, /(?<year>\d{4})/su, new RegExp(''), expressionInUse()],
  ],
  [
    'maps',
    'maps with keys of any kind, in their order',
    () =>
      new Map<unknown, unknown>([
        ['z', [NaN]],
        [{ key: 1 }, new Map([[-1, undefined]])],
        [undefined, null],
        ['a', 1],
      ]),
  ],
  [
    'sets',
    'sets of anything, in their order',
    () => new Set<unknown>([2, '1', undefined, new Set([[1]]), { a: 1n }, 1]),
  ],
  // oxlint-disable-next-line no-sparse-arrays -- the hole is what is carried
  ['holes', 'holes in arrays, apart from undefined items', () => [[1, , undefined, 3], holesAtTheEnd()]],
  ['sparse-arrays', 'arrays that are nearly all hole', farApart],
  [
    'undefined-properties',
    'properties that are undefined',
    () => ({ there: undefined, inner: [{ there: undefined }] }),
  ],
  [
    'key-order',
    'plain objects with their keys in order',
    () => ({ z: 1, a: 2, 10: 'ten', 9: 'nine', m: {} }),
  ],
  [
    'no-prototype',
    'objects without a prototype',
    () => Object.assign(Object.create(null) as object, { z: 1, nested: { a: -0 } }),
  ],
  [
    'method-keys',
    'keys that look like methods',
    () => ({ constructor: 1, toJSON: 2, hasOwnProperty: 3, length: 5, a__proto__: 1 }),
  ],
  [
    'many-keys',
    'objects with more than 65,535 keys',
    () => Object.fromEntries(Array.from({ length: 70_000 }, (_, at) => [`k${at}`, at])),
  ],
  [
    'many-items',
    'arrays with more than 65,535 items',
    () => Array.from({ length: 70_000 }, (_, at) => at % 300),
  ],
  ['boxed', 'boxed primitives', () => [Object(1), Object('text'), Object(false), Object(5n), Object(-0)]],
  ['urls', 'URLs', () => [new URL('https://example.org/a?b=c#d'), { at: new URL('file:///tmp/x') }]],
];

export const valueCases: readonly CodecCase[] = [
  ...VALUES.map(([name, what, make]): CodecCase => ({
    id: `codec/values/${name}`,
    title: `carries ${what}`,
    promise: 'equal-or-refused',
    run: async ({ codec }) => assertCarried(codec, make()),
  })),
  {
    id: 'codec/values/invalid-dates',
    title: 'carries an invalid date as an invalid date',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const arrived = carried(codec, [new Date(NaN)]);
      assert.ok(arrived[0] instanceof Date, 'it is no Date');
      assert.ok(Number.isNaN(arrived[0].getTime()), 'it is a valid date');
    },
  },
  {
    id: 'codec/values/proto-keys',
    title: 'carries a property __proto__ as a property and gives nothing another prototype',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const arrived = carried(codec, JSON.parse('{"__proto__": {"polluted": true}, "b": 2}') as object);
      assert.equal(Object.getPrototypeOf(arrived), Object.prototype);
      assert.deepEqual(Object.keys(arrived), ['__proto__', 'b']);
      assert.equal(({} as { polluted?: boolean }).polluted, undefined, 'every object has the property now');
    },
  },
  {
    id: 'codec/values/other-realms',
    title: 'carries values of another realm as those of this one',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const foreign: unknown = runInNewContext(
        '({ a: [1, new Map([[{ b: 2 }, new Date(5)]]), new Float64Array(2), -0] })',
      );
      const expected = { a: [1, new Map([[{ b: 2 }, new Date(5)]]), new Float64Array(2), -0] };
      assert.deepEqual(codec.decode(codec.encode(foreign)), expected);
    },
  },
  {
    id: 'codec/values/getters',
    title: 'carries what a getter gives',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const value = {
        get answer() {
          return 42;
        },
      };
      assert.deepEqual(carried<object>(codec, value), { answer: 42 });
    },
  },
];
