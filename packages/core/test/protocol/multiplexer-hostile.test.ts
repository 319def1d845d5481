import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import { FrameFlag, FrameType } from '../../src/protocol/frames.js';
import { Outbox } from '../../src/protocol/outbox.js';
import { inMemory, pattern, read, readerOf } from './connected.js';
import { NOTHING } from './frames-by-hand.js';
import { Hostile, START, credit, data, end, started } from './hostile-peer.js';

const KiB = 1024;

describe('a connection closes on a peer', () => {
  it.each<[string, string, (hostile: Hostile) => Promise<void>]>([
    [
      'that sends data of a stream that has not begun',
      'data of stream 1 came, which has not begun',
      async (peer) => data(peer, 1, 0),
    ],
    [
      'that ends a stream that has not begun',
      'an end of stream 9 came, which has not begun',
      async (peer) => end(peer, 9),
    ],
    [
      'that resets a stream that has not begun',
      'a reset of stream 9 came, which has not begun',
      async (peer) => peer.frame(FrameType.reset, 0, 9),
    ],
    [
      'that stops a stream that has not begun',
      'a stop for stream 1 came, which has not begun',
      async (peer) => peer.frame(FrameType.stop, 0, 1),
    ],
    [
      'that gives credit to a stream that has not begun',
      'credit for stream 1 came, which has not begun',
      async (peer) => credit(peer, 1, 5),
    ],
    ['that gives credit of nothing', 'credit of no bytes', async (peer) => credit(peer, 0, 0)],
    [
      'that gives back more window than was taken',
      'were given back than taken',
      async (peer) => credit(peer, 0, 1),
    ],
    ['that leaves a stream id out', 'stream 2 begins where 1 was due', async (peer) => peer.open(2, 10)],
    [
      'that begins a stream twice',
      'stream 1 begins where 2 was due',
      async (peer) => {
        await peer.open(1, 10);
        await peer.open(1, 10);
      },
    ],
    [
      'that ends a stream twice',
      'an end of stream 1 came, which has ended',
      async (peer) => {
        await peer.open(1, 1);
        await data(peer, 1, FrameFlag.early);
        await end(peer, 1);
        await end(peer, 1);
      },
    ],
    [
      'that sends data behind the end',
      'data of stream 1 came, which has ended',
      async (peer) => {
        await peer.open(1, 10);
        await peer.frame(FrameType.reset, 0, 1);
        await data(peer, 1, FrameFlag.early);
      },
    ],
    [
      'that ends a body too early',
      'stream 1 ends while 9 of its bytes are missing',
      async (peer) => {
        await peer.open(1, 10);
        await data(peer, 1, FrameFlag.early);
        await end(peer, 1);
      },
    ],
    [
      'that sends more than the body has',
      'stream 1 brings 11 bytes where 10 of the body are missing',
      async (peer) => {
        await peer.open(1, 10);
        await data(peer, 1, FrameFlag.early, 11);
      },
    ],
    [
      'that sends more than its initial window',
      'brings 1 bytes where 0 may come unasked',
      async (peer) => {
        await peer.open(1, 1024 * KiB);
        for (let sent = 0; sent < LIMITS.initialWindowBytes; sent += 64 * KiB)
          await data(peer, 1, FrameFlag.early, 64 * KiB);
        await data(peer, 1, FrameFlag.early);
      },
    ],
    [
      'that sends what nobody asked for',
      'brings 1 bytes where 0 were asked for',
      async (peer) => {
        await peer.open(1, 10);
        await data(peer, 1, 0);
      },
    ],
    [
      'that sends more than was asked for',
      'were asked for',
      async (peer) => {
        await peer.open(1, 64 * 1024 * KiB);
        void Promise.allSettled([readerOf(peer.heard.envelopes[0]?.body).next()]);
        await peer.turns.settle();
        for (let sent = 0; sent <= LIMITS.streamWindowBytes; sent += 128 * KiB)
          await data(peer, 1, 0, 128 * KiB);
      },
    ],
    [
      'that fills more than the window of the connection',
      'of all bodies may come unasked',
      async (peer) => {
        for (let stream = 1; stream <= 33; stream += 1) {
          await peer.open(stream, 1024 * KiB);
          await data(peer, stream, FrameFlag.early, 128 * KiB);
          await data(peer, stream, FrameFlag.early, 128 * KiB - 20);
          await data(peer, stream, FrameFlag.early, 20);
        }
      },
    ],
    [
      'that asks for more than a body has',
      'were asked of stream 1, which has 300000',
      async (peer) => {
        peer.victim.send({ header: {}, body: inMemory(pattern(300_000)) });
        await peer.turns.settle();
        await credit(peer, 1, 150_000);
        await credit(peer, 1, 200_000);
      },
    ],
    [
      'that speaks something else',
      'a frame of the unknown type 71',
      async (peer) => peer.message(Buffer.from('GET / HTTP/1.1\r\n\r\n')),
    ],
  ])('%s', async (_, detail, act) => {
    const hostile = await started();
    await act(hostile);
    expect(hostile.violations).toEqual([
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED', message: expect.stringContaining(detail) }),
    ]);
    expect(hostile.violations[0]?.message).toMatch(/^Message \d+, byte \d+: /);
    expect([hostile.isClosed, hostile.heard.isComplete]).toEqual([true, true]);
    expect(() => hostile.victim.send({ header: {} })).toThrow(
      expect.objectContaining({ code: 'TRANSPORT_CLOSED', cause: hostile.violations[0] }),
    );
    expect(hostile.turns.pendingTimers).toBe(0);
  });

  it('of another version, and names both', async () => {
    const hostile = new Hostile();
    const start = Buffer.from(START);
    start.writeUInt8(2, 4);
    await hostile.frame(FrameType.start, 0, 0, start);
    expect(hostile.violations).toEqual([expect.objectContaining({ code: 'PROTOCOL_VERSION' })]);
    expect(hostile.isClosed).toBe(true);
  });

  it('and tells every reader why', async () => {
    const hostile = await started();
    await hostile.open(1, 10);
    const reading = Promise.allSettled([read(hostile.heard.envelopes[0]?.body)]);
    await hostile.message(NOTHING);
    const [{ reason }] = (await reading) as [PromiseRejectedResult];
    expect(reason).toMatchObject({ code: 'TRANSPORT_CLOSED', cause: { code: 'PROTOCOL_MALFORMED' } });
  });
});

describe('a connection lives on', () => {
  it('when credit or a stop comes for a body that has just ended', async () => {
    const hostile = await started();
    hostile.victim.send({ header: {}, body: inMemory(pattern(300_000)) });
    await hostile.turns.settle();
    await credit(hostile, 1, 300_000);
    await credit(hostile, 1, 5);
    await hostile.frame(FrameType.stop, 0, 1);
    await hostile.frame(FrameType.stop, 0, 1);
    expect(hostile.violations).toEqual([]);
    expect(hostile.isClosed).toBe(false);
  });

  it('when data comes for a body that was just given up', async () => {
    const hostile = await started();
    await hostile.open(1, 10);
    const reader = readerOf(hostile.heard.envelopes[0]?.body);
    await reader.return?.();
    await data(hostile, 1, FrameFlag.early, 10);
    await end(hostile, 1);
    expect(hostile.violations).toEqual([]);
  });

  it('with its whole window when early data of many bodies comes that were given up', async () => {
    const hostile = await started();
    for (let stream = 1; stream <= 50; stream += 1) {
      await hostile.open(stream, 1024 * KiB);
      await readerOf(hostile.heard.envelopes[stream - 1]?.body).return?.();
      await data(hostile, stream, FrameFlag.early, 200 * KiB);
    }
    expect(hostile.violations).toEqual([]);
  });

  it('and asks for no more of a body that its reader gives up', async () => {
    const hostile = await started();
    await hostile.open(1, 64 * 1024 * KiB);
    const reader = readerOf(hostile.heard.envelopes[0]?.body);
    const first = reader.next();
    await hostile.turns.settle();
    for (let count = 0; count < 16; count += 1) await data(hostile, 1, 0, 128 * KiB);
    await first;
    const before = hostile.said.length;
    await reader.return?.();
    await hostile.turns.settle();
    expect(hostile.said.slice(before)).toEqual([{ type: 'stop', stream: 1 }]);
  });

  it('with little memory when a body comes byte by byte', async () => {
    const hostile = await started();
    await hostile.open(1, 100_000);
    const outbox = new Outbox(LIMITS.chunkBytes);
    for (let index = 0; index < 100_000; index += 1)
      outbox.write(FrameType.data, FrameFlag.early, 1, Uint8Array.of(index));
    for (let message = outbox.take(); message; message = outbox.take()) await hostile.message(message);
    await end(hostile, 1);
    let count = 0;
    let memory = 0;
    for await (const chunk of hostile.heard.envelopes[0]?.body?.chunks() ?? []) {
      count += 1;
      memory += chunk.buffer.byteLength;
    }
    expect(count).toBeLessThan(10);
    expect(memory).toBeLessThan(200_000);
  });
});

describe('any bytes at all', () => {
  const oneFrame = fc.tuple(
    fc.integer({ min: 0, max: 7 }),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 3 }),
    fc.oneof(fc.constant(NOTHING), fc.constant(START), fc.uint8Array({ maxLength: 30 })),
  );

  it('leave a connection open or close it with PROTOCOL_MALFORMED, and nothing hangs', async () => {
    const property = fc.asyncProperty(
      fc.array(fc.oneof(fc.uint8Array({ maxLength: 40 }), oneFrame), { maxLength: 8 }),
      async (items) => {
        const hostile = await started();
        const body = inMemory(pattern(200_000));
        hostile.victim.send({ header: {}, body: { ...body, byteLength: body.byteLength } });
        await hostile.open(1, 10);
        const reading = Promise.allSettled([read(hostile.heard.envelopes[0]?.body)]);
        for (const item of items)
          await (item instanceof Uint8Array ? hostile.message(item) : hostile.frame(...item));
        const closing = hostile.victim.close();
        await hostile.turns.settle();
        await hostile.turns.advance(LIMITS.drainMs);
        await hostile.turns.until(Promise.all([closing, reading]));
        for (const { code } of hostile.violations)
          expect(['PROTOCOL_MALFORMED', 'PROTOCOL_VERSION']).toContain(code);
        expect(hostile.violations.length).toBeLessThanOrEqual(1);
        expect(hostile.turns.pendingTimers).toBe(0);
        expect(hostile.isClosed).toBe(true);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });
});
