import { describe, expect, it } from 'vitest';
import { bodyOf } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { Heard, connected, inMemory, lent, pattern, read } from './connected.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

const MiB = 1024 * 1024;
const WINDOW = LIMITS.initialWindowBytes;

describe('a connection over a pipe', () => {
  it('carries envelopes both ways, in order, and leaves undefined fields out', async () => {
    const { turns, here, there } = connected();
    const [heardHere, heardThere] = [new Heard(here), new Heard(there)];
    for (let n = 0; n < 5; n += 1) {
      here.send({ header: { n, optional: undefined } });
      there.send({ header: { n: -n } });
    }
    await turns.settle();
    expect(heardThere.envelopes.map(({ header }) => header)).toStrictEqual(
      [0, 1, 2, 3, 4].map((n) => ({ n })),
    );
    expect(heardHere.numbers).toEqual([0, -1, -2, -3, -4]);
  });

  it.each([0, 1, WINDOW - 1, WINDOW, WINDOW + 1, 5 * MiB, 64 * MiB])(
    'carries a body of %d bytes exactly',
    async (length) => {
      const { turns, here, there } = connected();
      const heard = new Heard(there);
      const bytes = pattern(length);
      here.send({ header: { type: 'x' }, body: inMemory(bytes) });
      const { body } = await turns.until(heard.take());
      expect(body?.parts === undefined).toBe(length > LIMITS.inlineBodyBytes);
      expect({ byteLength: body?.byteLength, sizes: body?.sizes }).toEqual({
        byteLength: length,
        sizes: [length],
      });
      expect(Buffer.compare(await turns.until(read(body)), bytes)).toBe(0);
    },
  );

  it.each([0, 1, 1_000, WINDOW, WINDOW + 1, 5 * MiB])(
    'carries a body of %d bytes exactly that only comes in chunks, lent one at a time',
    async (length) => {
      for (const chunkBytes of [1_000, 20_000, 3 * MiB]) {
        const { turns, here, there } = connected();
        const heard = new Heard(there);
        const bytes = pattern(length, chunkBytes);
        here.send({ header: { type: 'x' }, body: lent(bytes, chunkBytes) });
        const { body } = await turns.until(heard.take());
        expect(Buffer.compare(await turns.until(read(body)), bytes)).toBe(0);
      }
    },
  );

  it('tells the parts of a body apart, however many and small they are', async () => {
    for (const scale of [1, 100]) {
      const { turns, here, there } = connected();
      const heard = new Heard(there);
      const parts = Array.from({ length: 2_000 }, (_, index) => pattern((index % 9) * scale, index));
      parts.splice(1_000, 0, pattern(70_000), pattern(40 * scale));
      const [head, ...buffers] = parts;
      here.send({ header: {}, body: bodyOf({ head: head as Uint8Array, buffers }) });
      const { body } = await turns.until(heard.take());
      expect(body?.sizes).toEqual(parts.map(({ byteLength }) => byteLength));
      expect(Buffer.compare(await turns.until(read(body)), Buffer.concat(parts))).toBe(0);
    }
  });

  it('carries all of it in messages as small as the pipe asks for', async () => {
    const { turns, pipe, here, there } = connected({ largestMessageBytes: 1_024, windowBytes: 4_096 });
    const heard = new Heard(there);
    const text = 'long'.repeat(20_000);
    const bytes = pattern(100_000);
    here.send({ header: { text }, body: inMemory(bytes) });
    here.send({ header: { text }, body: lent(bytes, 7_777) });
    const [first, second] = [await turns.until(heard.take()), await turns.until(heard.take())];
    expect([first.header, second.header]).toEqual([{ text }, { text }]);
    expect(Buffer.compare(Buffer.concat(first.body?.parts ?? []), bytes)).toBe(0);
    expect(Buffer.compare(await turns.until(read(second.body)), bytes)).toBe(0);
    expect(Math.max(...pipe.here.sent.map(({ byteLength }) => byteLength))).toBe(1_024);
  });

  it('gathers what is sent in one turn into one message', async () => {
    const { turns, pipe, here, there } = connected();
    new Heard(there);
    await turns.settle();
    const before = pipe.here.sent.length;
    for (let n = 0; n < 100; n += 1) here.send({ header: { n }, body: inMemory(pattern(50)) });
    await turns.settle();
    expect(pipe.here.sent.length - before).toBe(1);
  });

  it('keeps what was sent before anybody listened, and asks the pipe for a pause when that is much', async () => {
    const { turns, pipe, here, there } = connected({ limits: { connectionWindowBytes: 10_000 } });
    for (let n = 0; n < 200; n += 1) {
      here.send({ header: { n } });
      await turns.settle();
    }
    expect(pipe.there.isPaused).toBe(true);
    const heard = new Heard(there);
    expect(heard.numbers).toEqual([]);
    await turns.settle();
    expect(heard.numbers).toEqual(Array.from({ length: 200 }, (_, n) => n));
    expect(pipe.there.isPaused).toBe(false);
  });

  it('keeps the rest for the next subscriber when one leaves', async () => {
    const { turns, here, there } = connected();
    for (let n = 0; n < 3; n += 1) here.send({ header: { n } });
    await turns.settle();
    const first: unknown[] = [];
    const subscription = there.inbound$.subscribe(({ header }) => {
      first.push(header['n']);
      subscription.unsubscribe();
    });
    await turns.settle();
    here.send({ header: { n: 3 } });
    await turns.settle();
    const heard = new Heard(there);
    await turns.settle();
    expect([first, heard.numbers]).toEqual([[0], [1, 2, 3]]);
  });

  it('refuses an envelope in the stack of its sender, and lives on', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    expect(() => here.send({ header: { f: () => 1 } })).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE' }),
    );
    expect(() => here.send({ header: { text: 'x'.repeat(LIMITS.controlFrameBytes) } })).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MALFORMED' }),
    );
    const body = { ...inMemory(pattern(10)), byteLength: 11 };
    expect(() => here.send({ header: {}, body })).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED' }),
    );
    here.send({ header: { n: 1 } });
    await turns.settle();
    expect(heard.numbers).toEqual([1]);
  });

  it('refuses limits out of range, and pipes that carry next to nothing', () => {
    const turns = new Turns();
    const invalid = expect.objectContaining({ code: 'OPTION_INVALID' });
    const { here } = MemoryPipe.pair(turns);
    for (const limits of [
      { inlineBodyBytes: LIMITS.inlineBodyBytes + 1 },
      { openBodies: 0 },
      { drainMs: Number.NaN },
    ])
      expect(() => multiplex(here, { clock: turns, limits })).toThrow(invalid);
    const narrow = MemoryPipe.pair(turns, { largestMessageBytes: 1_023 });
    expect(() => multiplex(narrow.here, { clock: turns })).toThrow(invalid);
  });
});
