import assert from 'node:assert/strict';
import { LIMITS } from '../model/limits.js';
import type { Codec } from '../ports/codec.js';
import { assertCarried, assertRefuses } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

class Model {
  weights = [1];
}

function transferred(): Uint8Array {
  const array = new Uint8Array(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

/** What is refused by `encode` and by `digest`: the last part of the id, the sentence, a value in `a`, and its path. */
const REFUSED: readonly (readonly [name: string, what: string, make: () => unknown, path: string])[] = [
  ['functions', 'a function', () => [{ model: { fit() {} } }], 'args[0].model.fit'],
  ['symbols', 'a symbol', () => ({ a: [Symbol('s')] }), 'args.a[0]'],
  ['instances', 'an instance that no serializer claims', () => [1, new Model()], 'args[1]'],
  ['promises', 'a promise', () => ({ p: Promise.resolve(1) }), 'args.p'],
  ['weak-maps', 'a WeakMap', () => new Set([1, new WeakMap()]), 'args.values()[1]'],
  ['map-keys', 'what stands as a key of a map', () => new Map([[() => 1, 1]]), 'args.keys()[0]'],
  ['symbol-keys', 'a property whose key is a symbol', () => [{ [Symbol('tag')]: 1 }], 'args[0]'],
  [
    'array-properties',
    'a named property of an array',
    () => [Object.assign([1], { columns: ['a'] })],
    'args[0]',
  ],
  ['date-properties', 'a property of a date', () => [Object.assign(new Date(0), { zone: 'UTC' })], 'args[0]'],
  [
    'shared-memory',
    'memory in a SharedArrayBuffer',
    () => [new Uint8Array(new SharedArrayBuffer(8))],
    'args[0]',
  ],
  ['transferred-memory', 'memory that was transferred away', () => [transferred()], 'args[0]'],
  [
    'causes',
    'what hides in the cause of an error',
    () => new Error('e', { cause: { f() {} } }),
    'args.cause.f',
  ],
];

const WRAPS: readonly ((inner: unknown) => unknown)[] = [
  (inner) => [inner],
  (inner) => ({ inner }),
  (inner) => new Map([['k', inner]]),
  (inner) => new Set([inner]),
];

function nested(levels: number, wrap: (inner: unknown) => unknown, innermost: unknown = -0): unknown {
  let value = innermost;
  for (let level = 0; level < levels; level += 1) value = wrap(value);
  return value;
}

const refuses = (codec: Codec, value: unknown, path: string): void => {
  for (const call of [
    () => codec.encode(value, { path: 'args' }),
    () => codec.digest(value, { path: 'args' }),
  ]) {
    const message = assertRefuses(call, 'VALUE_NOT_ENCODABLE');
    assert.ok(message.startsWith(`${path} `), message);
  }
};

export const refusalCases: readonly CodecCase[] = [
  ...REFUSED.map(([name, what, make, path]): CodecCase => ({
    id: `codec/refusals/${name}`,
    title: `refuses ${what}, with its path`,
    promise: 'equal-or-refused',
    run: async ({ codec }) => refuses(codec, make(), path),
  })),
  {
    id: 'codec/refusals/default-path',
    title: 'calls a value `value` when nothing else is said',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const message = assertRefuses(() => codec.encode([() => 1]), 'VALUE_NOT_ENCODABLE');
      assert.ok(message.startsWith('value[0] '), message);
    },
  },
  {
    id: 'codec/refusals/afterwards',
    title: 'is fit for the next value after it refused one',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      for (let round = 0; round < 3; round += 1) {
        assertRefuses(() => codec.encode({ a: ['x'.repeat(5000), -0, new Model()] }), 'VALUE_NOT_ENCODABLE');
        assertCarried(codec, { a: ['x'.repeat(5000), -0, 1n] });
      }
    },
  },
  {
    id: 'codec/refusals/depth',
    title: `carries what is nested ${LIMITS.valueDepth} levels deep, and refuses what is deeper`,
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      for (const wrap of WRAPS) {
        const deepest = nested(LIMITS.valueDepth, wrap);
        assert.equal(codec.digest(codec.decode(codec.encode(deepest))), codec.digest(deepest));
        assertRefuses(() => codec.encode([deepest]), 'VALUE_TOO_DEEP');
        assertRefuses(() => codec.digest([deepest]), 'VALUE_TOO_DEEP');
      }
    },
  },
  {
    id: 'codec/refusals/bottomless',
    title: 'refuses a value nested a hundred thousand levels deep without running out of stack',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      for (const wrap of WRAPS) {
        for (const innermost of [1, -0]) {
          const value = nested(100_000, wrap, innermost);
          assertRefuses(() => codec.encode(value), 'VALUE_TOO_DEEP');
          assertRefuses(() => codec.digest(value), 'VALUE_TOO_DEEP');
        }
      }
    },
  },
];
