import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { TREE_BYTE } from '../../src/codec/node-tags.js';

const codec = new MsgpackrCodec();
const decode = (head: Uint8Array, buffers: Uint8Array[] = []): unknown => codec.decode({ head, buffers });
const tree = (node: unknown): Uint8Array => Buffer.concat([Buffer.of(TREE_BYTE), pack(node)]);
const malformed = expect.objectContaining({ code: 'BYTES_MALFORMED' });
const bytes = (...parts: (number | string)[]): Uint8Array =>
  Buffer.concat(
    parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part, 'latin1'))),
  );

describe('bytes of a simple value are refused', () => {
  it.each<[string, Uint8Array]>([
    ['when there are none', bytes()],
    ['when they go on behind the value', bytes(0x01, 0x02)],
    ['when a string is cut short', bytes(0xa5, 'abc')],
    ['when a long string is cut short', bytes(0xdb, 0xff, 0xff, 0xff, 0xff, 'abc')],
    ['when a number is cut short', bytes(0xcb, 0x00)],
    ['when a length is cut short', bytes(0xdd, 0x00)],
    ['when an array declares more items than there are bytes', bytes(0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0)],
    ['when a map declares more entries than there are bytes', bytes(0xdf, 0x7f, 0xff, 0xff, 0xff, 0xa1, 'a')],
    ['when a key is no string', bytes(0x81, 0x01, 0x02)],
    ['when a key is __proto__', bytes(0x81, 0xa9, '__proto__', 0x80)],
    ['when a key is __proto__ with a longer length', bytes(0x81, 0xd9, 0x09, '__proto__', 0x80)],
    ['when a key is __proto__ with the longest length', bytes(0x81, 0xdb, 0, 0, 0, 9, '__proto__', 0x80)],
    ['when they hold a record definition', bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 'a', 0x01)],
    ['when they hold the extension for errors', bytes(0xd4, 0x65, 0x00, 0x92, 0xa5, 'Error', 0xa1, 'm')],
    ['when they hold the extension for references', bytes(0xd6, 0x69, 0, 0, 0, 1, 0x90)],
    ['when they hold the extension for regular expressions', bytes(0xd4, 0x78, 0x00, 0x92, 0xa1, 'a', 0xa0)],
    ['when they hold bundled strings', bytes(0xd6, 0x62, 0, 0, 0, 1, 0xc0)],
    ['when they hold a binary', bytes(0xc4, 0x01, 0x00)],
    ['when they hold an integer of 64 bits', bytes(0xd3, 0, 0, 0, 0, 0, 0, 0, 1)],
    ['when they hold the byte that msgpack never uses', bytes(0x91, 0xc1)],
  ])('%s', (_, head) => {
    expect(() => decode(head)).toThrow(malformed);
  });

  it('when buffers come with them', () => {
    expect(() => decode(bytes(0x01), [new Uint8Array(1)])).toThrow(malformed);
  });

  it('as too deep when they nest beyond the limit', () => {
    const head = Buffer.concat([Buffer.alloc(1_000_000, 0x91), Buffer.of(0xc0)]);
    expect(() => decode(head)).toThrow(expect.objectContaining({ code: 'VALUE_TOO_DEEP' }));
  });
});

describe('bytes of a tree are refused', () => {
  it.each<[string, unknown, Uint8Array[]?]>([
    ['with an unknown tag', ['\0?']],
    ['with an empty tag', ['\0']],
    ['with a reference to nothing', ['\0r', 0]],
    ['with a reference forward', [['\0r', 2], []]],
    ['with a reference that is no number', [['\0r', 'length']]],
    ['with a negative reference', [['\0r', -1]]],
    ['with a broken reference', [['\0r', 0.5]]],
    ['with a bigint of no digits', ['\0n', '']],
    ['with a bigint of other digits', ['\0n', '0x10']],
    ['with a bigint that is no text', ['\0n', 5]],
    ['with a text of other things', ['\0t', {}]],
    ['with a date that is no number', ['\0d', 'today']],
    ['with a regular expression that cannot be', ['\0x', '(', '', 0]],
    ['with unknown flags', ['\0x', 'a', 'q', 0]],
    ['with a lastIndex that is no number', ['\0x', 'a', 'g', 'here']],
    ['with a lastIndex below 0', ['\0x', 'a', 'g', -1]],
    ['with a lastIndex of half a unit', ['\0x', 'a', 'g', 0.5]],
    ['with a URL that cannot be', ['\0l', 'no url']],
    ['with a box of no primitive', ['\0b', []]],
    ['with a map of half an entry', ['\0m', 1]],
    ['with an object of half an entry', ['\0o', 'a']],
    ['with a key that is no text', ['\0o', 1, 2]],
    ['with a sparse array of no length', ['\0h', 'many', 0, 1]],
    ['with a sparse array longer than arrays can be', ['\0h', 2 ** 32, 0, 1]],
    ['with an index beyond the length', ['\0h', 2, 2, 1]],
    ['with indices out of order', ['\0h', 5, 3, 1, 2, 1]],
    ['with an index without item', ['\0h', 5, 3]],
    ['with an error of too few parts', ['\0e', 'Error', 'm']],
    ['with an error that sets its prototype', ['\0e', 'Error', 'm', null, '__proto__', {}]],
    ['with an error that sets its message', ['\0e', 'Error', 'm', null, 'message', {}]],
    ['with an instance of no key', ['\0i', 5, {}]],
    ['with a binary value of unknown kind', ['\0v', 99], [new Uint8Array(8)]],
    ['with a binary value of a kind that is no number', ['\0v', 'length'], [new Uint8Array(8)]],
    ['with a binary value without buffer', ['\0v', 1]],
    [
      'with more binary values than buffers',
      [
        ['\0v', 1],
        ['\0v', 1],
      ],
      [new Uint8Array(8)],
    ],
    ['with a buffer of part of an element', ['\0v', 8], [new Uint8Array(9)]],
    ['with a buffer that nothing asks for', [1], [new Uint8Array(9)]],
    ['with a small value beyond its buffer', ['\0q', 1, 9], [new Uint8Array(8)]],
    ['with a small value of negative length', ['\0q', 1, -1], [new Uint8Array(8)]],
    ['with small values without buffer', ['\0q', 1, 0]],
    ['with bytes left of the small values', ['\0q', 1, 7], [new Uint8Array(8)]],
    ['with a shared buffer out of turn', ['\0y', 1, 1, 0, 8], [new Uint8Array(8), new Uint8Array(8)]],
    ['with a shared value beyond its buffer', ['\0y', 1, 0, 4, 8], [new Uint8Array(8)]],
    ['with a shared value that is not aligned', ['\0y', 8, 0, 4, 8], [new Uint8Array(16)]],
    ['with part of a shared ArrayBuffer', ['\0y', 11, 0, 0, 8], [new Uint8Array(16)]],
    ['with a shared value of half a byte', ['\0y', 1, 0, 0.5, 1], [new Uint8Array(8)]],
  ])('%s', (_, node, buffers) => {
    expect(() => decode(tree(node), buffers)).toThrow(malformed);
  });

  it('naming the serializer that is not there', () => {
    expect(() => decode(tree(['\0i', 'evil/Thing', {}]))).toThrow(
      expect.objectContaining({ code: 'SERIALIZER_UNKNOWN', message: expect.stringContaining('evil/Thing') }),
    );
  });

  it('as too deep when they nest beyond the limit', () => {
    let node: unknown = 1;
    for (let level = 0; level < 201; level += 1) node = ['\0s', node];
    expect(() => decode(tree(node))).toThrow(expect.objectContaining({ code: 'VALUE_TOO_DEEP' }));
  });
});

describe('bytes from a stranger', () => {
  it('get no memory for a length they only declare', () => {
    const before = process.memoryUsage().rss;
    const arrays = Array.from({ length: 20 }, () => decode(tree(['\0h', 33_000_000, 5, 1])) as unknown[]);
    expect(arrays[0]).toHaveLength(33_000_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * 1024 * 1024);
  });

  it('reach no prototype', () => {
    const arrived = decode(
      tree(['\0o', '__proto__', { polluted: 1 }, 'constructor', { prototype: { polluted: 1 } }]),
    );
    expect(Object.getPrototypeOf(arrived)).toBe(Object.prototype);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });

  it('may name an error class that is none', () => {
    for (const name of ['constructor', '__proto__', 'Function', 'RoutineEngineError']) {
      const arrived = decode(tree(['\0e', name, 'm', null, 'code', 'toString'])) as Error;
      expect(Object.getPrototypeOf(arrived)).toBe(Error.prototype);
      expect(arrived.name).toBe(name);
    }
  });

  it('are left as they were', () => {
    const { head, buffers } = codec.encode([-0, { a: [undefined] }, new Float64Array(500)]);
    const before = Buffer.from(head);
    codec.decode({ head, buffers });
    expect(Buffer.from(head)).toEqual(before);
    expect(Object.keys(head)).toHaveLength(head.length);
  });

  it('may lie in a Uint8Array that is no Buffer, at any offset', () => {
    const { head } = codec.encode({ text: 'x'.repeat(5000), list: [1, 2, 3] });
    const moved = new Uint8Array(head.length + 7);
    moved.set(head, 7);
    expect(codec.decode({ head: moved.subarray(7), buffers: [] })).toEqual({
      text: 'x'.repeat(5000),
      list: [1, 2, 3],
    });
  });
});
