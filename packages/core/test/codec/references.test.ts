import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { TREE_BYTE } from '../../src/codec/node-tags.js';
import type { Encoded } from '../../src/model/encoded.js';
import type { ReferenceData } from '../../src/model/reference.js';
import { referenceTo, StoredValue } from './stored-value.js';

const codec = new MsgpackrCodec();
const asReference = (data: ReferenceData): StoredValue => new StoredValue(data);
const one = referenceTo(Uint8Array.of(0x6e));
const other = referenceTo(Uint8Array.of(0x75), { store: 'fs:\ud800', routineId: '\ufefftname:a:b:1.0.0' });
const malformed = expect.objectContaining({ code: 'BYTES_MALFORMED' });

describe('a reference in a value', () => {
  it.each<[string, unknown]>([
    ['the value itself', other],
    ['an item', [1, other]],
    ['a property beside undefined', { a: undefined, b: other }],
    ['a key and a value of a map', new Map([[one, other]])],
    ['an item of a set', new Set([one, other])],
    ['the cause of an error', new Error('e', { cause: other })],
  ])('arrives as it was, as %s', (_, value) => {
    expect(codec.decode(codec.encode(value), { reference: asReference })).toEqual(value);
  });

  it('gives up its place to what the receiver has for it, the same in all its places', () => {
    const place = { model: 1 };
    let asked = 0;
    const twin = new StoredValue(one.data);
    const encoded = codec.encode({ a: one, b: [twin, one] });
    const arrived = codec.decode(encoded, {
      reference: () => {
        asked += 1;
        return place;
      },
    }) as { a: object; b: object[] };
    expect([arrived.a, ...arrived.b].every((value) => value === place)).toBe(true);
    expect(asked).toBe(1);
  });

  it('may give its place to any value, which is taken as it is', () => {
    for (const place of [undefined, null, 5, ['\0u'], { a: ['\0r', 0] }]) {
      expect(codec.decode(codec.encode([one]), { reference: () => place })).toStrictEqual([place]);
    }
  });

  it('leaves shared parts and cycles around it as they were', () => {
    const shared = { x: undefined };
    const value: unknown[] = [one, shared, other, [shared], one];
    value.push(value);
    const arrived = codec.decode(codec.encode(value), { reference: asReference }) as unknown[];
    expect(arrived).toEqual(value);
    expect((arrived[3] as unknown[])[0]).toBe(arrived[1]);
    expect(arrived[5]).toBe(arrived);
  });

  it('is known when it comes from another installed copy', () => {
    const foreign = Object.assign(Object.create({}) as object, {
      [Symbol.for('@routine-engine/reference.v1')]: one.data,
    });
    expect(codec.references(codec.encode([foreign]))).toEqual([one.data]);
  });

  it('is not asked of serializers', () => {
    const greedy = new MsgpackrCodec({
      serializers: [
        {
          key: 'test/All',
          claims: (value): value is object => typeof value === 'object',
          serialize: () => null,
          deserialize: () => null,
        },
      ],
    });
    expect(greedy.references(greedy.encode([one]))).toEqual([one.data]);
  });

  it('may stand beside a stream and in the deepest place', () => {
    let value: unknown = [one, (async function* () {})()];
    for (let level = 0; level < 198; level += 1) value = [value];
    const encoded = codec.encode(value, { streams: true });
    expect(encoded.streams).toBe(1);
    expect(codec.references(encoded)).toEqual([one.data]);
    let arrived = codec.decode(encoded, { reference: () => 'here' });
    for (let level = 0; level < 198; level += 1) arrived = (arrived as unknown[])[0];
    expect(arrived).toEqual(['here', expect.anything()]);
  });

  it('is refused where nothing can take its place', () => {
    expect(() => codec.decode(codec.encode([one]))).toThrow(
      expect.objectContaining({
        code: 'BYTES_MALFORMED',
        message: expect.stringContaining(
          'a reference where none may be; they belong in arguments and results',
        ),
      }),
    );
  });

  it('lets through the typed error of what should take its place', () => {
    const unreachable = new Error('no such store');
    const decode = (): unknown =>
      codec.decode(codec.encode([one]), {
        reference: () => {
          throw unreachable;
        },
      });
    expect(decode).toThrow(expect.objectContaining({ code: 'BYTES_MALFORMED', cause: unreachable }));
  });
});

describe('the references of an encoded value', () => {
  it('are told without decoding it, each key once, in the order of the value', () => {
    const elsewhere = new StoredValue({ ...one.data, store: 'mem:two' });
    const encoded = codec.encode({ a: [other, one], b: new Map([[one, elsewhere]]), c: 1n });
    expect(codec.references(encoded)).toEqual([other.data, one.data]);
  });

  it.each<[string, unknown]>([
    ['a simple value', [1, 2]],
    ['a value of no simple kind', [undefined, 1n]],
    ['a value that looks like some', ['\0g', [], 1]],
  ])('are none of %s', (_, value) => {
    expect(codec.references(codec.encode(value))).toEqual([]);
  });

  it('may be many', () => {
    const many = Array.from({ length: 1000 }, (_, n) => referenceTo(Uint8Array.of(n & 255, n >> 8)));
    expect(codec.references(codec.encode(many))).toHaveLength(1000);
  });

  it('are at most 100,000', () => {
    const many = Array.from({ length: 100_001 }, (_, index) => {
      return new StoredValue({ ...one.data, key: index.toString(16).padStart(64, '0') });
    });
    expect(codec.references(codec.encode(many.slice(1)))).toHaveLength(100_000);
    expect(() => codec.encode(many)).toThrow(
      /^value\[100000\] is one reference more than 100000; pass fewer at once/,
    );
  });
});

describe('bytes with references are refused', () => {
  const entry = ['0'.repeat(64), 'mem:one', 'tname:a:b:1.0.0', 5, 'bg=='];
  const use = ['\0f', 0];
  it.each<[string, unknown]>([
    ['with another key', ['\0g', [['../etc', ...entry.slice(1)]], use]],
    ['with a store that is no text', ['\0g', [[entry[0], 5, ...entry.slice(2)]], use]],
    ['with a negative length', ['\0g', [[...entry.slice(0, 3), -1, 'bg==']], use]],
    ['with no bytes for digests', ['\0g', [[...entry.slice(0, 4), '']], use]],
    ['with too many bytes for digests', ['\0g', [[...entry.slice(0, 4), 'AAAA'.repeat(1366)]], use]],
    ['with bytes that are no base64', ['\0g', [[...entry.slice(0, 4), 'b!==']], use]],
    ['with an entry of too few parts', ['\0g', [entry.slice(0, 4)], use]],
    ['with an entry that is no list', ['\0g', [5], use]],
    ['with entries that are no list', ['\0g', { length: 1 }, use]],
    ['with more than 100,000', ['\0g', Array.from({ length: 100_001 }, () => entry), use]],
  ])('%s, by decode and when they are listed', (_, node) => {
    const encoded = treeOf(node);
    expect(() => codec.decode(encoded, { reference: asReference })).toThrow(malformed);
    expect(() => codec.references(encoded)).toThrow(malformed);
  });

  it.each<[string, unknown]>([
    ['with a place beyond them', ['\0g', [entry], [use, ['\0f', 1]]]],
    ['with a place of no number', ['\0g', [entry], [use, ['\0f', 'length']]]],
    ['with one that stands nowhere', ['\0g', [entry], 1]],
    ['with a place and no references', [use]],
    ['with references inside', [['\0g', [entry], use]]],
    ['with references of more parts', ['\0g', [entry], use, 1]],
    ['with streams outside', ['\0k', 1, ['\0g', [entry], [use, ['\0c', 'i', 0]]]]],
  ])('%s', (_, node) => {
    expect(() => codec.decode(treeOf(node), { reference: asReference })).toThrow(malformed);
  });

  it('in another form than the shortest, so that none is hidden from the list', () => {
    const { head } = treeOf(['\0g', [entry], use]);
    const longer = Buffer.concat([Buffer.of(TREE_BYTE, 0xdc, 0, 3), head.subarray(2)]);
    expect(codec.references({ head: longer, buffers: [] })).toEqual([]);
    expect(() => codec.decode({ head: longer, buffers: [] }, { reference: asReference })).toThrow(malformed);
  });

  it('when they are cut short', () => {
    const { head } = codec.encode([one]);
    for (let length = 5; length < head.length; length += 1) {
      expect(() => codec.references({ head: head.subarray(0, length), buffers: [] })).toThrow(malformed);
    }
  });
});

function treeOf(node: unknown): Encoded {
  return { head: Buffer.concat([Buffer.of(TREE_BYTE), pack(node)]), buffers: [] };
}
