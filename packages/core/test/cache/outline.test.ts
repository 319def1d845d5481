import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { differences, likeness, outlineOf } from '../../src/cache/outline.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { OUTLINE_ENTRIES } from '../../src/model/result.js';

const codec = new MsgpackrCodec();
const outline = (...args: unknown[]): readonly string[] => outlineOf(args, 'args', codec);
const differ = (one: readonly unknown[], other: readonly unknown[]): readonly string[] =>
  differences(outline(...one), outline(...other));

describe('what differs between arguments', () => {
  it.each<[string, unknown[], unknown[], string[]]>([
    ['nothing', [1, { a: [2] }], [1, { a: [2] }], []],
    ['an argument', [1, 2], [1, 3], ['args[1]']],
    ['a property', [{ rate: 1, epochs: 2 }], [{ rate: 1, epochs: 3 }], ['args[0].epochs']],
    ['a property with another kind of name', [{ 'a b': 1 }], [{ 'a b': 2 }], ['args[0]["a b"]']],
    ['an item deep inside', [{ a: [{ b: 1 }, { b: 2 }] }], [{ a: [{ b: 1 }, { b: 3 }] }], ['args[0].a[1].b']],
    ['a missing property', [{ a: 1 }], [{ a: 1, b: 2 }], ['args[0].b']],
    ['one argument more', [1], [1, 2], ['args[1]']],
    ['kind', [{ a: 1 }], ['1'], ['args[0]']],
    ['1 and "1"', [1], ['1'], ['args[0]']],
    ['a number in a typed array', [new Float32Array([1, 2])], [new Float32Array([1, 3])], ['args[0]']],
    ['several', [{ a: 1, b: 2, c: 3 }], [{ a: 9, b: 2, c: 9 }], ['args[0].a', 'args[0].c']],
    ['something in an empty list', [[]], [[1]], ['args[0]']],
  ])('is named: %s', (_, one, other, paths) => {
    expect(differ(one, other)).toEqual(paths);
    expect(differ(other, one)).toEqual(paths);
  });

  it('stays short for values of any size', () => {
    const wide = Array.from({ length: 5_000 }, (_, index) => ({ index, name: `n${index}` }));
    expect(outline(wide, { wide }).length).toBeLessThanOrEqual(2 * OUTLINE_ENTRIES);
    expect(differ([wide, 1], [wide.toReversed(), 1])).toEqual(['args[0]']);
  });

  it('keeps paths short, whatever keys there are', () => {
    const long = { ['k'.repeat(1_000)]: 1, b: 2 };
    expect(outline(long)).toHaveLength(2);
    expect(differ([long], [{ ...long, b: 3 }])).toEqual(['args[0]']);
  });

  it('is something exactly when the digests differ', () => {
    const value = fc.jsonValue({ maxDepth: 5 });
    fc.assert(
      fc.property(value, value, (one, other) => {
        const isSame = codec.digest([one]) === codec.digest([other]);
        expect(differ([one], [other]).length === 0).toBe(isSame);
      }),
    );
  });

  it('says which of two is nearer', () => {
    const called = outline({ a: 1, b: 2, c: 3 });
    expect(likeness(called, outline({ a: 1, b: 2, c: 9 }))).toBe(2);
    expect(likeness(called, outline({ a: 9, b: 9, c: 3 }))).toBe(1);
    expect(likeness(called, outline('x'))).toBe(0);
  });
});
