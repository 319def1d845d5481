import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/model/body.js';
import type { readRecord } from '../../src/protocol/envelope-record.js';
import { FrameReader } from '../../src/protocol/frame-reader.js';
import { FrameFlag, FrameType, creditPayload, resetPayload } from '../../src/protocol/frames.js';
import { HEADER, NOTHING, frame, heard, record, start } from './frames-by-hand.js';

describe('the reader of frames', () => {
  it('reads frames of every type, several in one message', () => {
    const message = Buffer.concat([
      start,
      frame(FrameType.envelope, 0, 0, HEADER),
      frame(FrameType.data, FrameFlag.early, 7, Buffer.of(1, 2)),
      frame(FrameType.data, 0, 7, Buffer.of(3)),
      frame(FrameType.end, 0, 7, NOTHING),
      frame(FrameType.reset, 0, 8, resetPayload('STORE_FULL', 'no room')),
      frame(FrameType.stop, 0, 9, NOTHING),
      frame(FrameType.credit, 0, 0, creditPayload(4_000_000_000)),
    ]);
    expect(heard(message)).toEqual([
      ['start', { initialWindowBytes: 1_000, connectionWindowBytes: 5_000 }],
      ['envelope', 0, { header: { type: 'x' }, sizes: [], parts: undefined }],
      ['data', 7, [1, 2], true],
      ['data', 7, [3], false],
      ['end', 7],
      ['reset', 8, 'STORE_FULL', 'no room'],
      ['stop', 9],
      ['credit', 0, 4_000_000_000],
    ]);
  });

  it('takes the next message for the data that was announced', () => {
    const announced = frame(FrameType.data, FrameFlag.detached | FrameFlag.early, 3, NOTHING, 4);
    expect(heard(start, announced, Buffer.of(0, 1, 2, 3), frame(FrameType.end, 0, 3, NOTHING))).toEqual([
      expect.anything(),
      ['data', 3, [0, 1, 2, 3], true],
      ['end', 3],
    ]);
  });

  it('puts an envelope together that came in pieces, with other frames between them', () => {
    const header = { type: 'x', text: 'long'.repeat(100) };
    const bytes = record({ header, body: bodyOf({ head: Buffer.from('body'), buffers: [Buffer.of(9)] }) });
    const messages = Array.from({ length: Math.ceil(bytes.length / 50) }, (_, index) => {
      const piece = bytes.subarray(50 * index, 50 * index + 50);
      const more = 50 * index + 50 < bytes.length ? FrameFlag.more : 0;
      return Buffer.concat([frame(FrameType.stop, 0, 1, NOTHING), frame(FrameType.envelope, more, 0, piece)]);
    });
    const [envelope] = heard(start, ...messages).filter((each) => (each as unknown[])[0] === 'envelope');
    expect(envelope).toEqual([
      'envelope',
      0,
      { header, sizes: [4, 1], parts: [new Uint8Array(Buffer.from('body')), Uint8Array.of(9)] },
    ]);
  });

  it('copies a small body out of a large message, and keeps a large one as a view', () => {
    const small = frame(
      FrameType.envelope,
      0,
      0,
      record({ header: {}, body: bodyOf({ head: Buffer.alloc(10), buffers: [] }) }),
    );
    const large = frame(
      FrameType.envelope,
      0,
      0,
      record({ header: {}, body: bodyOf({ head: Buffer.alloc(1_000), buffers: [] }) }),
    );
    const message = new Uint8Array(Buffer.concat([small, large]));
    const memories = heard(start, message).slice(1).map(bufferOfBody);
    expect(memories[0]).not.toBe(message.buffer);
    expect(memories[1]).toBe(message.buffer);
  });

  it('reads nothing once it was stopped, not even the rest of a message', () => {
    const seen: number[] = [];
    const reader: FrameReader = new FrameReader({
      onStart: () => undefined,
      onEnvelope: () => undefined,
      onData: () => undefined,
      onEnd: (stream) => {
        seen.push(stream);
        reader.stop();
      },
      onReset: () => undefined,
      onStop: () => undefined,
      onCredit: () => undefined,
    });
    reader.read(Buffer.concat([start, frame(3, 0, 1, NOTHING), frame(3, 0, 2, NOTHING)]));
    reader.read(frame(3, 0, 3, NOTHING));
    expect(seen).toEqual([1]);
  });
});

function bufferOfBody(envelope: unknown): ArrayBufferLike | undefined {
  const [, , read] = envelope as [string, number, ReturnType<typeof readRecord>];
  return read.parts?.[0]?.buffer;
}
