import assert from 'node:assert/strict';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';

const codec = new MsgpackrCodec();
const carried = (value: unknown): unknown => codec.decode(codec.encode(value));

const sparse = [1, , undefined, 3]; // oxlint-disable-line no-sparse-arrays -- the hole is what is tested
const holesAtTheEnd = [1, 2];
holesAtTheEnd.length = 7;
const farApart: unknown[] = [];
farApart[4_000_000_000] = 'far';
const regexpInUse = /a/g;
regexpInUse.lastIndex = 3;

const VALUES: readonly (readonly [name: string, value: unknown])[] = [
  ['undefined', undefined],
  ['null', null],
  ['booleans', [true, false]],
  [
    'integers of every width',
    [0, 1, -1, 127, 128, -32, -33, 255, 256, 65_535, 65_536, 2 ** 31, 2 ** 32, -(2 ** 31) - 1],
  ],
  ['integers beyond 2^53', [2 ** 53 + 2, -(2 ** 64), Number.MAX_VALUE]],
  ['fractions', [0.1, -1e-320, Math.PI, Number.MIN_VALUE]],
  ['minus zero', [-0, 0, { zero: -0 }]],
  ['NaN and infinities', [NaN, Infinity, -Infinity]],
  ['bigints of any size', [0n, -1n, 2n ** 63n, -(2n ** 64n), 17n ** 400n]],
  ['strings', ['', 'a', 'ü', '日本', '😀', 'x'.repeat(70_000)]],
  ['strings with lone surrogates', ['\ud800', 'a\udc00b', '\udc00\ud800', `${'x'.repeat(100)}\ud83d`]],
  [
    'strings that begin with a byte order mark',
    ['\ufeff', `\ufeff${'x'.repeat(200)}`, { [`\ufeff${'k'.repeat(99)}`]: 1 }],
  ],
  ['strings that begin with U+0000', [['\0u'], ['\0', -0], [['\0r', 0]], undefined]],
  ['dates', [new Date(0), new Date(-8.64e15), new Date(1_700_000_000_123)]],
  ['regular expressions', [/a+\/b/giu, /(?<year>\d{4})/su, new RegExp(''), regexpInUse]],
  [
    'maps',
    new Map<unknown, unknown>([
      [{ key: 1 }, new Map([[-0, undefined]])],
      ['k', [NaN]],
      [undefined, null],
    ]),
  ],
  ['sets', new Set<unknown>([1, '1', undefined, new Set([[1]]), { a: 1n }])],
  ['arrays with holes', sparse],
  ['arrays with holes at the end', holesAtTheEnd],
  ['arrays that are nearly all hole', farApart],
  ['undefined properties', { there: undefined }],
  ['plain objects in their key order', { z: 1, a: 2, 10: 'ten', 9: 'nine' }],
  ['objects without prototype', Object.assign(Object.create(null), { z: 1, nested: { a: -0 } })],
  ['the key __proto__', JSON.parse('{"__proto__": {"polluted": true}, "b": 2}')],
  ['keys that look like methods', { constructor: 1, toJSON: 2, hasOwnProperty: 3, length: 5 }],
  ['keys that end in __proto__', { a__proto__: 1, [`${'k'.repeat(40)}__proto__`]: 2 }],
  ['keys with lone surrogates', { '\ud800': 1, ok: 2 }],
  [
    'objects with more than 65,535 keys',
    Object.fromEntries(Array.from({ length: 70_000 }, (_, i) => [`k${i}`, i])),
  ],
  ['boxed primitives', [Object(1), Object('text'), Object(false), Object(5n), Object(-0)]],
  ['URLs', new URL('https://example.org/a?b=c#d')],
  ['every kind of binary value', binaryValues()],
];

describe('a value that is encoded and decoded', () => {
  it.each(VALUES)('keeps %s', (_, value) => {
    const arrived = carried(value);
    assert.deepStrictEqual(arrived, value);
    expect(Object.keys(Object(arrived) as object)).toEqual(Object.keys(Object(value) as object));
  });

  it.each(VALUES)('has the digest it had before: %s', (_, value) => {
    expect(codec.digest(carried(value))).toBe(codec.digest(value));
  });

  it.each(VALUES)('stays as it was while it is encoded: %s', (_, value) => {
    const before = codec.digest(value);
    codec.encode(value);
    expect(codec.digest(value)).toBe(before);
  });

  it('keeps an invalid date invalid', () => {
    expect((carried(new Date(NaN)) as Date).getTime()).toBeNaN();
  });

  it('keeps __proto__ an own property and no prototype', () => {
    const arrived = carried(JSON.parse('{"__proto__": {"polluted": true}}')) as object;
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
    expect(Object.hasOwn(arrived, '__proto__')).toBe(true);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('of another realm arrives as one of this realm', () => {
    const arrived = carried(
      runInNewContext('({ a: [1, new Map([[{ b: 2 }, new Date(5)]]), new Float64Array(2), -0] })'),
    );
    assert.deepStrictEqual(arrived, { a: [1, new Map([[{ b: 2 }, new Date(5)]]), new Float64Array(2), -0] });
  });

  it('may be asked for while another value is encoded', () => {
    const value = {
      before: 'x'.repeat(100),
      get inner() {
        return Array.from(codec.encode(['inner', 'y'.repeat(20_000)]).head);
      },
      after: 'z'.repeat(100),
    };
    const arrived = carried(value) as typeof value;
    expect(arrived).toEqual({ before: value.before, inner: value.inner, after: value.after });
    expect(codec.decode({ head: Uint8Array.from(arrived.inner), buffers: [] })).toEqual([
      'inner',
      'y'.repeat(20_000),
    ]);
  });

  it('carries what a getter gives', () => {
    const value = {
      get answer() {
        return 42;
      },
    };
    expect(carried(value)).toEqual({ answer: 42 });
  });
});

describe('references inside a value', () => {
  it('stay shared', () => {
    const part = { a: 1 };
    const [first, second] = carried([part, part]) as [object, object];
    expect(first).toBe(second);
  });

  it('may form cycles through objects, arrays, maps, sets and errors', () => {
    const root: Record<string, unknown> = {};
    const error = new Error('around');
    error.cause = root;
    Object.assign(root, {
      list: [root],
      map: new Map<unknown, unknown>([[root, root]]),
      set: new Set([root]),
      error,
    });
    const arrived = carried(root) as typeof root & {
      list: unknown[];
      map: Map<unknown, unknown>;
      set: Set<unknown>;
    };
    expect(arrived.list[0]).toBe(arrived);
    expect(arrived.map.get(arrived)).toBe(arrived);
    expect(arrived.set.has(arrived)).toBe(true);
    expect((arrived['error'] as Error).cause).toBe(arrived);
  });

  it('stay shared in large values', () => {
    const items = Array.from({ length: 500 }, (_, id) => ({ id }));
    const arrived = carried([...items, ...items]) as unknown[];
    expect(arrived[0]).toBe(arrived[500]);
    expect(arrived[499]).toBe(arrived[999]);
    expect(new Set(arrived).size).toBe(500);
  });
});

describe('an error as a value', () => {
  it.each([
    ['TypeError', new TypeError('bad')],
    ['RangeError', new RangeError('far')],
    ['Error', new Error('plain')],
    ['AggregateError', new AggregateError([new Error('a'), 'b'], 'many')],
  ])('arrives as %s with message and stack as they were', (_, error) => {
    const arrived = carried(error) as Error;
    expect(arrived).toBeInstanceOf(error.constructor);
    expect(arrived).toEqual(error);
    expect(arrived.stack).toBe(error.stack);
  });

  it('leaves the traces of other errors as long as they were', () => {
    const { stackTraceLimit } = Error;
    expect((carried(new TypeError('far')) as Error).stack).toContain('round-trip.test');
    expect(Error.stackTraceLimit).toBe(stackTraceLimit);
    expect(new Error('here').stack).toContain('round-trip.test');
  });

  it('arrives without a list of errors where it had none', () => {
    const error = new AggregateError([], 'many');
    Reflect.deleteProperty(error, 'errors');
    expect(carried(error)).toBeInstanceOf(AggregateError);
    expect(Object.hasOwn(carried(error) as Error, 'errors')).toBe(false);
  });

  it('keeps cause, code and own properties of any kind', () => {
    const cause = new Error('below');
    const error = Object.assign(new Error('above', { cause }), { code: 'E_ABOVE', rows: new Map([[1, 2n]]) });
    const arrived = carried(error) as typeof error;
    expect(arrived.cause).toEqual(cause);
    expect(arrived.code).toBe('E_ABOVE');
    expect(arrived.rows).toEqual(new Map([[1, 2n]]));
    expect(Object.keys(arrived)).toEqual(['code', 'rows']);
  });

  it('of an own class arrives as an Error with the name of the class', () => {
    class TrainingFailed extends Error {}
    const arrived = carried(new TrainingFailed('diverged')) as Error;
    expect(arrived.name).toBe('TrainingFailed');
    expect(Object.keys(arrived)).toEqual([]);
    expect(codec.digest(arrived)).toBe(codec.digest(new TrainingFailed('diverged')));
  });

  it('of this project arrives as a RoutineEngineError', () => {
    const arrived = carried(new RoutineEngineError('QUEUE_TIMEOUT', 'late')) as RoutineEngineError;
    expect(arrived).toBeInstanceOf(RoutineEngineError);
    expect(arrived).toMatchObject({
      code: 'QUEUE_TIMEOUT',
      retryable: true,
      message: 'late',
      name: 'RoutineEngineError',
    });
  });
});

function binaryValues(): unknown[] {
  const bytes = Uint8Array.from({ length: 48 }, (_, index) => index * 5).buffer;
  const classes = [
    Int8Array,
    Uint8Array,
    Uint8ClampedArray,
    Int16Array,
    Uint16Array,
    Int32Array,
    Uint32Array,
    Float32Array,
    Float64Array,
    BigInt64Array,
    BigUint64Array,
  ];
  return [
    ...classes.map((Class) => new Class(bytes.slice(0))),
    ...classes.map((Class) => new Class(5000)),
    new DataView(bytes.slice(0), 3, 10),
    bytes.slice(0),
    new ArrayBuffer(0),
    Buffer.from('hello'),
    Buffer.alloc(3000, 7),
    new Float64Array(0),
  ];
}
