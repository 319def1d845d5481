import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Encoded } from '../../src/model/encoded.js';

const codec = new MsgpackrCodec();
const ALLOWED = new Set(['DECODED', 'BYTES_MALFORMED', 'VALUE_TOO_DEEP', 'SERIALIZER_UNKNOWN']);

/** Strings of any UTF-16 units, lone surrogates and byte order marks among them. */
const anyString = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.constantFrom('\0u', '\0', '__proto__', 'constructor', '\ufeff', 'toJSON'),
);
const leaf = fc.oneof(
  fc.constantFrom(undefined, null, true, false, -0, NaN, Infinity),
  fc.integer(),
  fc.double(),
  fc.bigInt(),
  anyString,
  fc.date({ noInvalidDate: true }),
  fc.uint8Array(),
  fc.float64Array({ maxLength: 300 }),
  fc.int16Array(),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 5 },
    leaf,
    tie('array'),
    tie('object'),
    tie('map'),
    tie('set'),
    tie('sparse'),
    tie('bare'),
  ),
  array: fc.array(tie('any'), { maxLength: 8 }),
  object: fc.dictionary(anyString, tie('any'), { maxKeys: 8 }),
  bare: fc.dictionary(anyString, tie('any'), { maxKeys: 4, noNullPrototype: false }),
  map: fc.array(fc.tuple(tie('any'), tie('any')), { maxLength: 5 }).map((entries) => new Map(entries)),
  set: fc.array(tie('any'), { maxLength: 5 }).map((items) => new Set(items)),
  sparse: fc.sparseArray(tie('any'), { maxNumElements: 4, maxLength: 5000 }),
})).any;

describe('for any value', () => {
  it('what is decoded equals what was encoded', () => {
    fc.assert(
      fc.property(value, (given) => {
        assert.deepStrictEqual(codec.decode(codec.encode(given)), given);
      }),
      { numRuns: 500 },
    );
  });

  it('what is decoded has the digest of what was encoded', () => {
    fc.assert(
      fc.property(value, (given) => {
        assert.equal(codec.digest(codec.decode(codec.encode(given), { copy: true })), codec.digest(given));
      }),
      { numRuns: 300 },
    );
  });

  it('the digest is independent of key order', () => {
    fc.assert(
      fc.property(value, (given) => {
        assert.equal(codec.digest(reordered(given)), codec.digest(given));
      }),
      { numRuns: 300 },
    );
  });

  it('equal encodings mean equal digests', () => {
    fc.assert(
      fc.property(value, value, (one, other) => {
        const same = codec.digest(one) === codec.digest(other);
        assert.equal(same, equalBesideKeyOrder(one, other));
      }),
      { numRuns: 300 },
    );
  });
});

describe('whatever the bytes are, decode gives a value or one of its codes', () => {
  it('for garbage', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (head, isTree) => {
        const code = codeOf({ head: isTree ? Uint8Array.of(0xc1, ...head) : head, buffers: [] });
        expect(ALLOWED).toContain(code);
      }),
      { numRuns: 3000 },
    );
  });

  it('for bytes that were cut short', () => {
    fc.assert(
      fc.property(value, fc.nat(), (given, at) => {
        const { head, buffers } = codec.encode(given);
        const cut = head.subarray(0, at % head.length);
        expect(() => codec.decode({ head: cut, buffers })).toThrow(
          expect.objectContaining({ code: expect.stringMatching(/^BYTES_MALFORMED$/) }),
        );
      }),
      { numRuns: 500 },
    );
  });

  it('for values whose buffers got lost', () => {
    fc.assert(
      fc.property(value, fc.float64Array({ minLength: 1 }), (given, array) => {
        const { head, buffers } = codec.encode([given, array]);
        expect(codeOf({ head, buffers: buffers.slice(1) })).toBe('BYTES_MALFORMED');
      }),
    );
  });

  it('for bytes with flipped bits', () => {
    fc.assert(
      fc.property(value, fc.array(fc.nat(), { minLength: 1, maxLength: 6 }), (given, flips) => {
        const { head, buffers } = codec.encode(given);
        const flipped = Uint8Array.from(head);
        for (const flip of flips) {
          const at = (flip >> 3) % flipped.length;
          flipped[at] = (flipped[at] ?? 0) ^ (1 << (flip & 7));
        }
        expect(ALLOWED).toContain(codeOf({ head: flipped, buffers }));
      }),
      { numRuns: 3000 },
    );
  });

  it('for trees of any shape', () => {
    const tags = fc.constantFrom(...'uzntrahopdxmsbleivqy?'.split('')).map((letter) => `\0${letter}`);
    const part = fc.oneof(
      fc.constantFrom(0, 1, 2, 8, 11, 13, -1, 1.5, 1e9, 'a', 'code', 'Error', null, true),
      fc.string(),
    );
    const node = fc.letrec((tie) => ({
      node: fc.oneof(
        { maxDepth: 4 },
        part,
        fc.tuple(tags, fc.array(tie('node'), { maxLength: 5 })).map(([tag, rest]) => [tag, ...rest]),
        fc.array(tie('node'), { maxLength: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(node, fc.array(fc.uint8Array(), { maxLength: 3 }), (root, buffers) => {
        // A simple value's head is the msgpack of the value as it stands.
        const { head } = codec.encode(root);
        expect(ALLOWED).toContain(codeOf({ head: Uint8Array.of(0xc1, ...head), buffers }));
      }),
      { numRuns: 5000 },
    );
  });
});

function codeOf(encoded: Encoded): string {
  try {
    codec.decode(encoded);
    return 'DECODED';
  } catch (error) {
    return error instanceof RoutineEngineError ? error.code : String(error);
  }
}

/** The same value with the keys of its plain objects the other way round. */
function reordered(given: unknown): unknown {
  if (Array.isArray(given)) {
    const copy: unknown[] = [];
    copy.length = given.length;
    for (const key of Object.keys(given)) copy[Number(key)] = reordered(given[Number(key)]);
    return copy;
  }
  if (given instanceof Map)
    return new Map([...given].map(([key, item]) => [reordered(key), reordered(item)]));
  if (given instanceof Set) return new Set([...given].map(reordered));
  if (typeof given !== 'object' || given === null) return given;
  const prototype = Object.getPrototypeOf(given) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return given;
  const copy = Object.create(prototype) as object;
  for (const [key, item] of Object.entries(given).reverse()) {
    Object.defineProperty(copy, key, {
      value: reordered(item),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}

/** Whether two values are equal with Maps and Sets in the same order. */
function equalBesideKeyOrder(one: unknown, other: unknown): boolean {
  try {
    assert.deepStrictEqual(inOrder(one), inOrder(other));
    return true;
  } catch {
    return false;
  }
}

function inOrder(given: unknown): unknown {
  if (given instanceof Map) return { map: [...given].map(([key, item]) => [inOrder(key), inOrder(item)]) };
  if (given instanceof Set) return { set: [...given].map(inOrder) };
  if (Array.isArray(given)) return Object.assign([...given], { 0: given.map(inOrder) });
  return given;
}
