import { describe, expect, it } from 'vitest';
import { move } from '../../src/codec/move.js';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { snapshot, snapshotInParts } from '../../src/codec/snapshot.js';

const codec = new MsgpackrCodec();
const LENGTH = 200_000;

const memoryOf = (value: unknown): ArrayBufferLike | undefined =>
  snapshot(codec.encode(value)).buffers[0]?.buffer;

describe('moved memory', () => {
  it.each<[string, ArrayBuffer | ArrayBufferView]>([
    ['a typed array', new Float64Array(LENGTH)],
    ['an ArrayBuffer', new ArrayBuffer(LENGTH)],
    ['a DataView', new DataView(new ArrayBuffer(LENGTH))],
    ['a Buffer', Buffer.alloc(LENGTH)],
  ])('of %s is in the snapshot itself', (_, value) => {
    expect(move(value)).toBe(value);
    expect(memoryOf(value)).toBe(ArrayBuffer.isView(value) ? value.buffer : value);
  });

  it('is given away once: the next snapshot has a copy', () => {
    const array = move(new Uint8Array(LENGTH).fill(5));
    expect(memoryOf({ array })).toBe(array.buffer);
    const again = snapshot(codec.encode(array));
    expect(again.buffers[0]?.buffer).not.toBe(array.buffer);
    expect(codec.decode(again)).toEqual(array);
  });

  it('is in the snapshot once, though it stands in the value twice', () => {
    const array = move(new Uint8Array(LENGTH));
    const { buffers } = snapshot(codec.encode([array, new DataView(array.buffer), array.subarray(9000)]));
    expect(buffers.map(({ buffer }) => buffer)).toEqual([array.buffer]);
  });

  it('is copied when the value has only a part of it', () => {
    const array = move(new Uint8Array(LENGTH));
    expect(memoryOf(array.subarray(1))?.byteLength).toBe(LENGTH - 1);
  });
});

describe('a snapshot in parts', () => {
  it.each([10, 2 * LENGTH])(
    'has moved memory itself, whether it is long or not: from %i bytes',
    (longBytes) => {
      const array = move(new Uint8Array(LENGTH));
      const { own, long } = snapshotInParts(codec.encode({ array }), longBytes);
      expect([own.buffers[0]?.buffer, long]).toEqual([array.buffer, undefined]);
      expect(memoryOf(array)).not.toBe(array.buffer);
    },
  );

  it('copies what is short, and leaves what is long to be copied', () => {
    const [short, long] = [new Uint8Array(9_000).fill(1), new Uint8Array(LENGTH).fill(2)];
    const parted = snapshotInParts(codec.encode([short, long]), LENGTH);
    expect(parted.own.buffers).toEqual([short, new Uint8Array(0)]);
    expect(parted.own.buffers[0]?.buffer).not.toBe(short.buffer);
    expect([...(parted.long ?? [])].map(([part, bytes]) => [part, bytes.buffer])).toEqual([[2, long.buffer]]);
  });
});

describe('memory that is not all of the value', () => {
  it('is copied, since the rest may be of another', () => {
    const whole = new Uint8Array(LENGTH);
    move(whole.subarray(1));
    expect(memoryOf(whole)).not.toBe(whole.buffer);
  });

  it('is copied when it is the pool of Buffers', () => {
    const { buffer } = Buffer.from('pooled');
    move(buffer);
    expect(memoryOf(buffer)).not.toBe(buffer);
  });
});

it('shared memory is refused by the codec as ever', () => {
  const shared = move(new Uint8Array(new SharedArrayBuffer(LENGTH)));
  expect(() => codec.encode(shared)).toThrow('memory in a SharedArrayBuffer');
});

it('what is no bytes cannot be moved', () => {
  expect(() => move([1, 2] as never)).toThrow(expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }));
});
