import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pack } from '../../src/codec/msgpack.js';
import { bodyOf } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import { FrameReader } from '../../src/protocol/frame-reader.js';
import { FrameFlag, FrameType } from '../../src/protocol/frames.js';
import { NOTHING, START, frame, heard, record, start } from './frames-by-hand.js';

/** The code of what is thrown, or the error itself when it has none. */
function codeOf(act: () => unknown): unknown {
  try {
    act();
    return undefined;
  } catch (error) {
    return (error as { code?: unknown }).code ?? error;
  }
}

describe('the reader of frames refuses', () => {
  const announced = frame(FrameType.data, FrameFlag.detached, 3, NOTHING, 4);
  const varint = (...bytes: number[]) => frame(FrameType.envelope, 0, 0, Buffer.of(...bytes));
  const headed = (stream: number, ...rest: number[]) =>
    frame(FrameType.envelope, 0, stream, Buffer.concat([Buffer.of(1, 0x80), Buffer.of(...rest)]));

  it.each<[string, string, Uint8Array[]]>([
    ['an empty message', 'an empty message', [start, NOTHING]],
    ['a message beyond the limit', 'a message of', [start, Buffer.alloc(LIMITS.chunkBytes + 1)]],
    ['a header that is cut short', 'the header of a frame is cut short', [start, Buffer.alloc(9)]],
    [
      'a length beyond the bytes present',
      'declares 4294967295 bytes where 1 are left',
      [start, frame(2, 0, 1, Buffer.of(1), 0xffffffff)],
    ],
    ['an unknown type', 'unknown type 7', [start, frame(7, 0, 1, NOTHING)]],
    ['an unknown flag', 'end with the unknown flags 1', [start, frame(3, 1, 1, NOTHING)]],
    ['a frame before the start', 'end came before the start', [frame(3, 0, 1, NOTHING)]],
    ['announced data before the start', 'data came before the start', [announced]],
    ['a second start', 'a second start', [start, start]],
    ['a start on a stream', 'the start is on stream 1', [frame(0, 0, 1, START)]],
    [
      'the start of something else',
      'not that of a routine engine',
      [frame(0, 0, 0, Buffer.from('GET / HTTP/1.1'))],
    ],
    ['a start that is cut short', 'not that of a routine engine', [frame(0, 0, 0, START.subarray(0, 13))]],
    ['a start that goes on', 'bytes behind its end', [frame(0, 0, 0, Buffer.concat([START, Buffer.of(0)]))]],
    ['data without bytes', 'data without bytes', [start, frame(2, 0, 1, NOTHING)]],
    ['data of no stream', 'stream 0 carries no body', [start, frame(2, 0, 0, Buffer.of(1))]],
    ['announced data of no stream', 'stream 0 carries no body', [start, frame(2, 2, 0, NOTHING, 1)]],
    ['announced data of no bytes', 'data of 0 bytes is announced', [start, frame(2, 2, 1, NOTHING, 0)]],
    [
      'announced data beyond the limit',
      'is announced; 1 to',
      [start, frame(2, 2, 1, NOTHING, LIMITS.chunkBytes + 1)],
    ],
    [
      'announced data before the last frame',
      'before the last frame',
      [start, Buffer.concat([announced, start])],
    ],
    ['less data than announced', '3 bytes came where 4 of stream 3', [start, announced, Buffer.alloc(3)]],
    ['more data than announced', '5 bytes came where 4 of stream 3', [start, announced, Buffer.alloc(5)]],
    ['an end with bytes', 'end of 1 bytes; it has 0', [start, frame(3, 0, 1, Buffer.of(1))]],
    ['a stop with bytes', 'stop of 1 bytes; it has 0', [start, frame(5, 0, 1, Buffer.of(1))]],
    ['credit of another length', 'credit of 3 bytes; it has 4', [start, frame(6, 0, 1, Buffer.alloc(3))]],
    ['a long reason', 'a reason of 513 bytes', [start, frame(4, 0, 1, Buffer.alloc(513))]],
    ['an envelope without bytes', 'the length of a header is cut short', [start, frame(1, 0, 0, NOTHING)]],
    ['a header cut short', 'a header of 100 bytes is cut short', [start, varint(100, 0x80)]],
    ['an endless number', 'is not written as numbers are', [start, varint(...Array<number>(20).fill(0xff))]],
    [
      'a number written with a zero on top',
      'is not written as numbers are',
      [start, varint(0x81, 0x00, 0x80)],
    ],
    ['a header that is no map', 'a header is no map', [start, varint(1, 0x90, 0)]],
    ['a header that is nothing', 'a header is no map', [start, varint(1, 0xc0, 0)]],
    ['a header with bytes behind it', 'bytes behind the value', [start, varint(2, 0x80, 0x80, 0)]],
    [
      'a header with __proto__',
      '__proto__',
      [
        start,
        frame(
          1,
          0,
          0,
          Buffer.concat([Buffer.of(12, 0x81, 0xa9), Buffer.from('__proto__'), Buffer.of(0x80, 0)]),
        ),
      ],
    ],
    ['a header with an extension', 'type 0xd4', [start, varint(5, 0x81, 0xa1, 0x61, 0xd4, 0x00, 0)]],
    [
      'a header that declares more than is there',
      'beyond the bytes present',
      [start, varint(5, 0xdf, 0x7f, 0xff, 0xff, 0xff, 0)],
    ],
    ['bytes behind a directive', '1 bytes stand behind a directive', [start, headed(0, 0, 9)]],
    ['a body that streams without sizes', 'has no sizes', [start, headed(1, 0)]],
    ['a body that streams with bytes', '1 bytes stand behind', [start, headed(1, 1, 5, 9)]],
    ['more sizes than bytes', '100 sizes are cut short', [start, headed(0, 100, 1)]],
    [
      'sizes that add up to too much',
      'more than 2^53',
      [start, headed(1, 2, ...Array<number>(7).fill(0xff), 0x0f, ...Array<number>(7).fill(0xff), 0x0f)],
    ],
    ['a body shorter than its sizes', 'a body of 5 bytes came with 1', [start, headed(0, 1, 5, 9)]],
    ['a body longer than its sizes', 'a body of 1 bytes came with 2', [start, headed(0, 1, 1, 9, 9)]],
    [
      'pieces of two envelopes',
      'goes on as one of stream 2',
      [start, frame(1, 1, 1, Buffer.of(1)), frame(1, 0, 2, Buffer.of(1))],
    ],
    ['a piece without bytes', 'a piece of an envelope without bytes', [start, frame(1, 1, 1, NOTHING)]],
    [
      'pieces without end',
      'an envelope of more than',
      [start, ...Array<Uint8Array>(7).fill(frame(1, 1, 1, Buffer.alloc(200_000)))],
    ],
  ])('%s', (_, detail, messages) => {
    expect(() => heard(...messages)).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED', message: expect.stringContaining(detail) }),
    );
  });

  it('another version, naming both', () => {
    const other = Buffer.from(START);
    other.writeUInt16LE(0x0102, 4);
    expect(() => heard(frame(0, 0, 0, other))).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_VERSION', message: expect.stringMatching(/258.*1/) }),
    );
  });

  it('a header that nests too deep', () => {
    const deep = Buffer.concat([Buffer.of(0x81, 0xa1, 0x61), Buffer.alloc(500, 0x91), Buffer.of(0xc0)]);
    expect(() =>
      heard(start, frame(1, 0, 0, Buffer.concat([Buffer.of(0xf8, 0x03), deep, Buffer.of(0)]))),
    ).toThrow(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }));
  });

  it('a directive beyond its limit, though it fits beside a body', () => {
    const head = pack({ text: 'x'.repeat(LIMITS.controlFrameBytes) });
    const length = head.byteLength;
    const bytes = Buffer.concat([
      Buffer.of((length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14),
      head,
      Buffer.of(0),
    ]);
    const pieces = Array.from({ length: 6 }, (_, index) => {
      const piece = bytes.subarray(200_000 * index, 200_000 * (index + 1));
      return frame(1, index < 5 ? 1 : 0, 0, piece);
    });
    expect(() => heard(start, ...pieces)).toThrow(expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }));
  });

  it('a body that is too large to come with its directive', () => {
    const body = bodyOf({ head: new Uint8Array(LIMITS.inlineBodyBytes + 1), buffers: [] });
    const bytes = record({ header: {}, body });
    const pieces = [bytes.subarray(0, 200_000), bytes.subarray(200_000)];
    const messages = pieces.map((piece, index) => frame(1, index === 0 ? FrameFlag.more : 0, 0, piece));
    expect(() => heard(start, ...messages)).toThrow('a body of 262145 bytes came with its directive');
  });

  it('everything after a violation in silence, and says where the violation was', () => {
    const reader = new FrameReader({
      onStart: () => undefined,
      onEnvelope: () => undefined,
      onData: () => undefined,
      onEnd: () => undefined,
      onReset: () => undefined,
      onStop: () => undefined,
      onCredit: () => undefined,
    });
    reader.read(start);
    expect(() => reader.read(Buffer.concat([frame(3, 0, 1, NOTHING), frame(9, 0, 1, NOTHING)]))).toThrow(
      'Message 2, byte 10: a frame of the unknown type 9',
    );
    reader.read(frame(9, 0, 1, NOTHING));
  });

  it('any bytes with PROTOCOL_MALFORMED or not at all', () => {
    const type = fc.integer({ min: 0, max: 8 });
    const oneFrame = fc
      .tuple(
        type,
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 3 }),
        fc.uint8Array({ maxLength: 40 }),
      )
      .map(([kind, flags, stream, payload]) => frame(kind, flags, stream, payload));
    const message = fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc.array(oneFrame, { maxLength: 4 }).map((frames) => Buffer.concat(frames)),
    );
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), (messages) => {
        expect(codeOf(() => heard(start, ...messages))).toBeOneOf([undefined, 'PROTOCOL_MALFORMED']);
      }),
      { numRuns: 3_000 },
    );
  });
});
