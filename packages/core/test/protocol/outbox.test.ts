import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameType } from '../../src/protocol/frames.js';
import { Outbox } from '../../src/protocol/outbox.js';
import { NOTHING, frame } from './frames-by-hand.js';

describe('the outbox', () => {
  it('gathers small frames into one message', () => {
    const outbox = new Outbox(1_000);
    for (let stream = 1; stream <= 3; stream += 1) outbox.write(FrameType.stop, 0, stream, NOTHING);
    expect(outbox.byteLength).toBe(30);
    expect(Buffer.from(outbox.take() ?? NOTHING)).toEqual(
      Buffer.concat([1, 2, 3].map((stream) => frame(FrameType.stop, 0, stream, NOTHING))),
    );
    expect(outbox.take()).toBeUndefined();
    expect(outbox.byteLength).toBe(0);
  });

  it('never cuts a frame and never exceeds a message', () => {
    const lengths = fc.array(fc.integer({ min: 0, max: 90 }), { maxLength: 50 });
    fc.assert(
      fc.property(lengths, (given) => {
        const outbox = new Outbox(100);
        const frames = given.map((length, index) => frame(2, 0, index, Buffer.alloc(length, index)));
        for (const [index, length] of given.entries()) outbox.write(2, 0, index, Buffer.alloc(length, index));
        const messages: Uint8Array[] = [];
        for (let message = outbox.take(); message; message = outbox.take()) messages.push(message);
        expect(Buffer.concat(messages)).toEqual(Buffer.concat(frames));
        expect(messages.every((message) => message.byteLength <= 100)).toBe(true);
      }),
    );
  });
});
