import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Encoded } from '../../src/model/encoded.js';
import { countingBytes, LentBlob, referenceTo, StoredValue } from './stored-value.js';

const codec = new MsgpackrCodec();
/** What a reference is in bytes. */
const ENTRY = ['0'.repeat(64), 'mem:one', 'tname:a:b:1.0.0', 5, 'bg=='];
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

const reference = fc.uint8Array({ minLength: 1, maxLength: 3 }).map((node) => referenceTo(node));
/** Values with references and streams, as they are on their way. */
const carried = fc
  .tuple(value, fc.array(reference, { maxLength: 3 }), fc.nat(2), fc.nat(2))
  .map(([given, references, iterables, webs]) => [
    given,
    ...references,
    Array.from({ length: iterables }, () => (async function* () {})()),
    new Set(Array.from({ length: webs }, () => new ReadableStream())),
  ])
  .map((given) => codec.encode(given, { streams: true }))
  .map(({ head, buffers, streams }): Encoded => ({ head, buffers, streams }));
const encoded = fc.oneof(
  value.map((given): Encoded => codec.encode(given)),
  carried,
  fc
    .constantFrom<unknown>(new Uint8Array(9), new Float64Array(500), referenceTo(Uint8Array.of(1)))
    .map((given): Encoded => codec.encode(given)),
);

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
      fc.property(encoded, fc.nat(), ({ head, ...rest }, at) => {
        expect(codeOf({ ...rest, head: head.subarray(0, at % head.length) })).toBe('BYTES_MALFORMED');
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
    const flips = fc.array(fc.nat(), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(encoded, flips, fc.boolean(), ({ head, buffers, streams }, places, isTold) => {
        const flipped = Uint8Array.from(head);
        for (const flip of places) {
          const at = (flip >> 3) % flipped.length;
          flipped[at] = (flipped[at] ?? 0) ^ (1 << (flip & 7));
        }
        const blobs = new Map([[buffers.length, new LentBlob(countingBytes(9), 4)]]);
        expect(ALLOWED).toContain(codeOf({ head: flipped, buffers, streams: isTold ? streams : undefined }));
        expect(ALLOWED).toContain(codeOf({ head: flipped, buffers, streams, blobs }));
      }),
      { numRuns: 2000 },
    );
  });

  it('for buffers in another number or order', () => {
    fc.assert(
      fc.property(encoded, fc.array(fc.uint8Array({ maxLength: 20 })), ({ head, buffers }, others) => {
        for (const list of [buffers.toReversed(), [...buffers, ...others], [...others, ...buffers], others])
          expect(ALLOWED).toContain(codeOf({ head, buffers: list }));
      }),
      { numRuns: 500 },
    );
  });

  it('for trees of any shape', () => {
    const tags = fc.constantFrom(...'uzntrahopdxmsbleivqyfgkcc?'.split('')).map((letter) => `\0${letter}`);
    const part = fc.oneof(
      fc.constantFrom(0, 1, 2, 8, 11, 13, -1, 1.5, 1e9, 'a', 'i', 'w', 'code', 'Error', null, true),
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
    const entries = fc.array(fc.oneof(fc.constant(ENTRY), node), { maxLength: 2 });
    const root = fc.oneof(
      node,
      fc.tuple(fc.constant('\0k'), fc.nat(3), node),
      fc.tuple(fc.constant('\0g'), entries, node),
    );
    fc.assert(
      fc.property(root, fc.array(fc.uint8Array(), { maxLength: 3 }), (tree, buffers) => {
        // A simple value's head is the msgpack of the value as it stands.
        const { head } = codec.encode(tree);
        expect(ALLOWED).toContain(codeOf({ head: Uint8Array.of(0xc1, ...head), buffers }));
      }),
      { numRuns: 5000 },
    );
  });
});

/** The code with which the bytes are refused. To list references and to ask for the content gives a code of these, too. */
function codeOf(bytes: Encoded): string {
  const code = outcomeOf(() => {
    codec.decode(bytes, { reference: (data) => new StoredValue(data) });
  });
  const others = [() => codec.references(bytes), () => codec.contentPart(bytes)].map(outcomeOf);
  for (const other of others) expect(ALLOWED).toContain(other);
  // What can be decoded can be listed and asked for.
  expect(code !== 'DECODED' || others.every((other) => other === 'DECODED')).toBe(true);
  return code;
}

function outcomeOf(read: () => unknown): string {
  try {
    read();
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
