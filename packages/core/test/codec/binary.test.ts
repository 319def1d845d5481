import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { snapshot } from '../../src/codec/snapshot.js';
import { encodedBytes } from '../../src/model/encoded.js';

const codec = new MsgpackrCodec();

describe('a large typed array', () => {
  it('is not copied when it is encoded', () => {
    const array = new Float64Array(1000);
    const { buffers } = codec.encode({ array });
    expect(buffers).toHaveLength(1);
    expect(buffers[0]?.buffer).toBe(array.buffer);
  });

  it('travels without the rest of its memory', () => {
    const memory = new ArrayBuffer(1_000_000);
    const encoded = codec.encode(new Uint8Array(memory, 500, 5000));
    expect(encodedBytes(encoded)).toBeLessThan(5100);
  });

  it('is a view of the buffer it came in', () => {
    const encoded = codec.encode(new Float64Array(1000));
    expect((codec.decode(encoded) as Float64Array).buffer).toBe(encoded.buffers[0]?.buffer);
  });

  it('gets memory of its own on demand', () => {
    const encoded = codec.encode(new Float64Array(1000));
    const arrived = codec.decode(encoded, { copy: true }) as Float64Array;
    expect(arrived.buffer).not.toBe(encoded.buffers[0]?.buffer);
    expect(arrived).toEqual(new Float64Array(1000));
  });

  it('is copied when the buffer it came in is not aligned', () => {
    const array = Float64Array.from({ length: 1000 }, (_, index) => index / 3);
    const { head, buffers } = codec.encode(array);
    const moved = new Uint8Array(8003).subarray(3);
    moved.set(buffers[0] as Uint8Array);
    expect(codec.decode({ head, buffers: [moved] })).toEqual(array);
  });

  it('of an ArrayBuffer that came in a larger chunk is the ArrayBuffer alone', () => {
    const { head, buffers } = codec.encode(new Uint8Array(2000).fill(1).buffer);
    const chunk = new Uint8Array(4000);
    chunk.set(buffers[0] as Uint8Array, 1000);
    const arrived = codec.decode({ head, buffers: [chunk.subarray(1000, 3000)] }) as ArrayBuffer;
    expect(arrived.byteLength).toBe(2000);
  });
});

describe('small typed arrays', () => {
  it('travel in one buffer', () => {
    const points = Array.from({ length: 1000 }, (_, index) => Float64Array.of(index, -index));
    const encoded = codec.encode(points);
    expect(encoded.buffers).toHaveLength(1);
    expect(codec.decode(encoded)).toEqual(points);
  });

  it('own their memory when they arrive', () => {
    const [first] = codec.decode(codec.encode([Float64Array.of(1, 2), Float64Array.of(3)])) as [Float64Array];
    expect(first.buffer.byteLength).toBe(16);
  });
});

describe('views of one ArrayBuffer', () => {
  it('still share it when they arrive', () => {
    const memory = new ArrayBuffer(64);
    const value = {
      bytes: new Uint8Array(memory, 8, 8),
      floats: new Float32Array(memory, 8, 4),
      all: memory,
    };
    const arrived = codec.decode(codec.encode(value)) as typeof value;
    expect(arrived.bytes.buffer).toBe(arrived.all);
    expect(arrived.floats.buffer).toBe(arrived.all);
    expect(arrived.bytes.byteOffset).toBe(8);
    arrived.floats[0] = 1.5;
    expect(arrived.bytes[2]).toBe(0xc0);
  });

  it('share it without the ArrayBuffer in the value, and with copies demanded', () => {
    const memory = new ArrayBuffer(6400);
    const value = [new Uint8Array(memory, 100, 3000), new Uint16Array(memory, 200, 1000)] as const;
    const arrived = codec.decode(codec.encode(value), { copy: true }) as unknown as typeof value;
    expect(arrived[0].buffer).toBe(arrived[1].buffer);
    arrived[1][0] = 0xffff;
    expect(arrived[0][100]).toBe(0xff);
  });

  it('that are Buffers of the pool do not drag along what lies between them', () => {
    const secret = Buffer.from('the password is swordfish');
    const value = [Buffer.from('public'), secret.subarray(0, 3), Buffer.from('also public')];
    const { head, buffers } = codec.encode(value);
    const sent = Buffer.concat([head, ...buffers]).toString('latin1');
    expect(sent).not.toContain('swordfish');
    expect(codec.decode({ head, buffers })).toEqual(value);
  });

  it('that are Buffers share memory when they overlap', () => {
    const memory = Buffer.alloc(10_000);
    const value = [memory.subarray(0, 5000), memory.subarray(4000, 9000)] as const;
    const arrived = codec.decode(codec.encode(value)) as unknown as typeof value;
    arrived[0][4000] = 9;
    expect(arrived[1][0]).toBe(9);
  });
});

describe('a snapshot', () => {
  it('stays as it is when the value changes', () => {
    const array = new Float64Array(1000).fill(1);
    const kept = snapshot(codec.encode([array, 'head']));
    array.fill(2);
    expect(codec.decode(kept)).toEqual([new Float64Array(1000).fill(1), 'head']);
  });

  it('owns the whole ArrayBuffer of its head and of each buffer, so that they may be transferred', () => {
    const kept = snapshot(codec.encode([Buffer.alloc(3000), new Uint8Array(9000).subarray(10, 5000)]));
    for (const bytes of [kept.head, ...kept.buffers]) expect(bytes.byteLength).toBe(bytes.buffer.byteLength);
    structuredClone(kept, {
      transfer: [kept.head, ...kept.buffers].map((bytes) => bytes.buffer as ArrayBuffer),
    });
    expect(kept.buffers[0]?.byteLength).toBe(0);
  });
});

describe('heads', () => {
  it('do not change when more values are encoded', () => {
    const heads = Array.from(
      { length: 2000 },
      (_, index) => codec.encode({ index, text: 'x'.repeat(index % 90) }).head,
    );
    heads.forEach((head, index) => {
      expect(codec.decode({ head, buffers: [] })).toEqual({ index, text: 'x'.repeat(index % 90) });
    });
  });

  it('of small values do not hold on to the memory of a large one', () => {
    codec.encode('x'.repeat(5_000_000));
    expect(codec.encode(['small']).head.buffer.byteLength).toBeLessThan(100_000);
  });
});
