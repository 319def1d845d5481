import { describe, expect, it } from 'vitest';
import { packHeader, unpackHeader } from '../../src/protocol/header-bytes.js';

describe('a header', () => {
  it('arrives equal, without what was undefined', () => {
    const nested = { a: undefined, b: [1, { c: undefined, d: null }], e: { f: true, g: 'text', h: -1.5 } };
    const header = { type: 'x', gone: undefined, nested, big: 2 ** 53 - 1 };
    const before = structuredClone(header);
    expect(unpackHeader(packHeader(header))).toStrictEqual({
      type: 'x',
      nested: { b: [1, { d: null }], e: { f: true, g: 'text', h: -1.5 } },
      big: 2 ** 53 - 1,
    });
    expect(header).toStrictEqual(before);
  });

  it.each<[string, unknown, string]>([
    ['a function', { a: { b: () => 1 } }, 'header.a.b is a function'],
    ['a bigint', { a: [1, 2n] }, 'header.a[1] is a bigint'],
    ['a symbol', { a: Symbol('s') }, 'header.a is a symbol'],
    ['undefined in a list', { a: [undefined] }, 'header.a[0] is undefined'],
    ['an instance of a class', { a: new Map() }, 'header.a is no plain object'],
    ['bytes', { a: new Uint8Array(1) }, 'header.a is no plain object'],
    ['__proto__ as a key', JSON.parse('{"__proto__":1}'), '__proto__'],
  ])('with %s is refused in the stack of the sender', (_, header, detail) => {
    expect(() => packHeader(header as Record<string, unknown>)).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', message: expect.stringContaining(detail) }),
    );
  });

  it('that nests without end is refused', () => {
    const header: Record<string, unknown> = {};
    header['self'] = header;
    expect(() => packHeader(header)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }));
  });

  it('has no prototype that a peer could change', () => {
    const read = unpackHeader(packHeader({ constructor: { prototype: { polluted: 1 } } }));
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });
});
