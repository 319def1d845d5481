import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { LIMITS } from '../../src/model/limits.js';

const codec = new MsgpackrCodec();

class Foo {
  fit(): void {}
}
class Bars extends Array {}

const REFUSED: readonly (readonly [what: string, value: unknown, message: RegExp])[] = [
  ['a function', [{ model: { fit() {} } }], /^args\[0\]\.model\.fit is a function \(fit\); pass data/],
  ['a class', [Foo], /^args\[0\] is a function \(Foo\)/],
  ['a symbol', { a: [Symbol('s')] }, /^args\.a\[0\] is a symbol/],
  [
    'an instance of a class',
    new Map([['k', [new Foo()]]]),
    /^args\.get\('k'\)\[0\] is an instance of class Foo; register a/,
  ],
  ['an instance of a subclass of Array', [new Bars()], /^args\[0\] is an instance of class Bars/],
  ['a promise', { 'not an id': Promise.resolve(1) }, /^args\["not an id"\] is an instance of class Promise/],
  ['a WeakMap', new Set([1, new WeakMap()]), /^args\.values\(\)\[1\] is an instance of class WeakMap/],
  ['a key of a map', new Map([[() => 1, 1]]), /^args\.keys\(\)\[0\] is a function/],
  ['a symbol key', [{ [Symbol('tag')]: 1 }], /^args\[0\] is an object with the symbol key Symbol\(tag\)/],
  [
    'a named property of an array',
    [Object.assign([1, 2], { columns: ['a'] })],
    /^args\[0\] is an array .*"columns"/,
  ],
  [
    'a named property of an array with a hole',
    [Object.assign(Array(3).fill(1, 1), { a: 1 })],
    /^args\[0\] is an array .*"a"/,
  ],
  ['a match', /a(?<b>b)/.exec('ab'), /^args is an array with a property beside its items/],
  [
    'a property of a date',
    [Object.assign(new Date(), { zone: 'UTC' })],
    /^args\[0\] is a Date with a property of its own/,
  ],
  [
    'a property of a map',
    Object.assign(new Map(), { name: 'm' }),
    /^args is a Map with a property of its own/,
  ],
  [
    'a regular expression that goes on from no place',
    [Object.assign(/a/g, { lastIndex: 'here' })],
    /^args\[0\] is a RegExp whose lastIndex is no index; set it to 0/,
  ],
  [
    'a regular expression that goes on from -0',
    [Object.assign(/a/g, { lastIndex: -0 })],
    /^args\[0\] is a RegExp whose lastIndex is no index/,
  ],
  [
    'shared memory',
    [new Uint8Array(new SharedArrayBuffer(8))],
    /^args\[0\] is memory in a SharedArrayBuffer/,
  ],
  ['a SharedArrayBuffer', [new SharedArrayBuffer(8)], /^args\[0\] is an instance of class SharedArrayBuffer/],
  ['transferred memory', [detached()], /^args\[0\] is memory in a detached ArrayBuffer/],
  ['a resizable ArrayBuffer', [resizable()], /^args\[0\] is memory in a resizable ArrayBuffer/],
  [
    'a function in the cause of an error',
    new Error('e', { cause: { f() {} } }),
    /^args\.cause\.f is a function/,
  ],
  [
    'a prototype without its class',
    [Object.create(Date.prototype)],
    /^args\[0\] is an instance of class Date/,
  ],
];

describe('a value that cannot be carried exactly', () => {
  it.each(REFUSED)('is refused by encode with its path: %s', (_, value, message) => {
    expect(() => codec.encode(value, { path: 'args' })).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', message: expect.stringMatching(message) }),
    );
  });

  it.each(REFUSED)('is refused by digest in the same words: %s', (_, value, message) => {
    expect(() => codec.digest(value, { path: 'args' })).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', message: expect.stringMatching(message) }),
    );
  });

  it('is called value when no path is given', () => {
    expect(() => codec.encode([() => 1])).toThrow(/^value\[0\] is a function/);
  });

  it('leaves the codec fit for the next value', () => {
    expect(() => codec.encode([new Foo()])).toThrow(/Foo/);
    expect(codec.decode(codec.encode([1]))).toEqual([1]);
  });
});

describe('a symbol as key of an array', () => {
  const array = Object.assign([1, 2], { [Symbol('tag')]: 1 });
  const refusal = expect.objectContaining({
    code: 'VALUE_NOT_ENCODABLE',
    message: expect.stringMatching(/^value\[0\] is an object with the symbol key Symbol\(tag\)/),
  });

  it('is refused by digest, and by encode beside what is not simple', () => {
    expect(() => codec.digest([array])).toThrow(refusal);
    expect(() => codec.encode([array, undefined])).toThrow(refusal);
  });

  // To look for it there as well would take a tenth of the time of a small call.
  it('is left behind by encode in a simple value', () => {
    expect(codec.decode(codec.encode([array]))).toEqual([[1, 2]]);
  });
});

describe('nesting', () => {
  it.each([
    ['arrays', (inner: unknown) => [inner]],
    ['objects', (inner: unknown) => ({ inner })],
    ['maps', (inner: unknown) => new Map([['k', inner]])],
    ['errors', (inner: unknown) => new Error('e', { cause: inner })],
  ])('of %s is carried up to the limit and refused beyond it', (_, wrap) => {
    let value: unknown = -0;
    for (let level = 0; level < LIMITS.valueDepth; level += 1) value = wrap(value);
    expect(codec.digest(codec.decode(codec.encode(value)))).toBe(codec.digest(value));
    const deeper = [value];
    expect(() => codec.encode(deeper)).toThrow(expect.objectContaining({ code: 'VALUE_TOO_DEEP' }));
    expect(() => codec.digest(deeper)).toThrow(expect.objectContaining({ code: 'VALUE_TOO_DEEP' }));
  });

  it('of simple values has the same limit', () => {
    let value: unknown = 1;
    for (let level = 0; level < LIMITS.valueDepth; level += 1) value = [value];
    expect(codec.decode(codec.encode(value))).toEqual(value);
    expect(() => codec.encode([value], { path: 'args' })).toThrow(
      /^args\[0\]\[0\].* is nested deeper than 200 levels$/,
    );
  });
});

function detached(): Uint8Array {
  const array = new Uint8Array(8);
  structuredClone(array.buffer, { transfer: [array.buffer] });
  return array;
}

function resizable(): ArrayBuffer {
  const Resizable = ArrayBuffer as unknown as new (
    length: number,
    options: { maxByteLength: number },
  ) => ArrayBuffer;
  return new Resizable(8, { maxByteLength: 16 });
}
