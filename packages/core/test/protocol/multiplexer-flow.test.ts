import { describe, expect, it } from 'vitest';
import type { Body } from '../../src/model/body.js';
import { LIMITS } from '../../src/model/limits.js';
import type { Connection, Envelope } from '../../src/ports/transport.js';
import { Heard, connected, connectedIn, inMemory, pattern, read, readerOf, streamed } from './connected.js';
import { Turns } from './memory-pipe.js';

const KiB = 1024;
const MiB = 1024 * KiB;

/** A body that is made as it is sent, and counts what was asked of it. */
function generated(byteLength: number): Body & { given: number } {
  const chunk = pattern(64 * KiB);
  const body = {
    given: 0,
    byteLength,
    sizes: [byteLength],
    async *chunks() {
      while (body.given < byteLength) {
        body.given += chunk.byteLength;
        yield chunk;
      }
    },
  };
  return body;
}

/** Hands every envelope on, as the service does. */
function relay(from: Connection, to: Connection): void {
  from.inbound$.subscribe((envelope) => void to.send(envelope));
}

describe('a body that nobody reads', () => {
  it('is sent up to its initial window, and its sender is asked for no more', async () => {
    const { turns, pipe, here, there } = connected();
    const heard = new Heard(there);
    const body = generated(64 * MiB);
    here.send({ header: {}, body });
    await turns.settle();
    expect(heard.envelopes).toHaveLength(1);
    expect(body.given).toBe(LIMITS.initialWindowBytes);
    const bytes = pipe.here.sent.reduce((sum, message) => sum + message.byteLength, 0);
    expect(bytes).toBeLessThan(LIMITS.initialWindowBytes + 1_000);
    expect(here.full).toBe(false);
  });

  it('does not hold up others, however many there are', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    for (let n = 0; n < 100; n += 1) here.send({ header: { n }, body: inMemory(pattern(MiB, n)) });
    await turns.settle();
    expect(heard.envelopes).toHaveLength(100);
    const last = heard.envelopes.at(-1)?.body;
    expect(Buffer.compare(await turns.until(read(last)), pattern(MiB, 99))).toBe(0);
    here.send({ header: { n: 100 }, body: inMemory(pattern(10)) });
    await turns.settle();
    expect(heard.numbers.at(-1)).toBe(100);
  });

  it('holds, with all others, no more than the window of the connection', async () => {
    const { turns, pipe, here, there } = connected();
    new Heard(there);
    for (let n = 0; n < 100; n += 1) here.send({ header: { n }, body: generated(MiB) });
    await turns.settle();
    const bytes = pipe.here.sent.reduce((sum, message) => sum + message.byteLength, 0);
    expect(bytes).toBeLessThan(LIMITS.connectionWindowBytes / 2 + 10_000);
    expect(bytes).toBeGreaterThan(LIMITS.connectionWindowBytes / 2 - LIMITS.initialWindowBytes);
  });

  it('gives its part of the window to the next when it is given up', async () => {
    const { turns, here, there } = connected({ limits: { connectionWindowBytes: MiB } });
    const heard = new Heard(there);
    const bodies = Array.from({ length: 6 }, () => generated(MiB));
    for (const body of bodies) here.send({ header: {}, body });
    await turns.settle();
    expect(bodies.map(({ given }) => given)).toEqual([256 * KiB, 256 * KiB, 0, 0, 0, 0]);
    for (const { body } of heard.envelopes.slice(0, 2)) await readerOf(body).return?.();
    await turns.settle();
    expect(bodies.map(({ given }) => given).slice(2)).toEqual([256 * KiB, 256 * KiB, 0, 0]);
  });

  it('leaves its part of the window to others when its source breaks', async () => {
    const { turns, here, there } = connected({ limits: { connectionWindowBytes: MiB } });
    new Heard(there);
    const broken = streamed(MiB, () => {
      throw new Error('there is nothing');
    });
    for (let n = 0; n < 5; n += 1) here.send({ header: { n }, body: broken });
    await turns.settle();
    const body = generated(MiB);
    here.send({ header: {}, body });
    await turns.settle();
    expect(body.given).toBe(256 * KiB);
  });
});

describe('a slow reader', () => {
  it('gets its whole window, however many bodies were read or broke before', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const broken = streamed(MiB, async function* () {
      yield pattern(300_000);
      throw new Error('enough');
    });
    for (let n = 0; n < 80; n += 1) {
      here.send({ header: {}, body: n % 2 ? broken : generated(MiB) });
      await turns.until(Promise.allSettled([heard.take().then(({ body }) => read(body))]));
    }
    const slow = generated(64 * MiB);
    here.send({ header: {}, body: slow });
    const { body } = await turns.until(heard.take());
    await turns.until(readerOf(body).next());
    await turns.settle();
    expect(slow.given).toBeGreaterThanOrEqual(LIMITS.streamWindowBytes);
  });

  it('stops its sender after the window of the stream, and nobody else', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const slow = generated(64 * MiB);
    here.send({ header: {}, body: slow });
    const { body } = await turns.until(heard.take());
    const reader = readerOf(body);
    const first = await turns.until(reader.next());
    await turns.settle();
    const window = LIMITS.streamWindowBytes + LIMITS.initialWindowBytes;
    expect(slow.given).toBeLessThanOrEqual(window + 64 * KiB + (first.value as Uint8Array).byteLength);
    const fast = pattern(20 * MiB);
    here.send({ header: {}, body: inMemory(fast) });
    const other = await turns.until(heard.take());
    expect(Buffer.compare(await turns.until(read(other.body)), fast)).toBe(0);
    const before = slow.given;
    for (let bytes = 0; bytes < 8 * MiB;) {
      const next = await turns.until(reader.next());
      bytes += (next.value as Uint8Array).byteLength;
    }
    await turns.settle();
    expect(slow.given - before).toBeGreaterThan(4 * MiB);
    expect(slow.given - before).toBeLessThan(13 * MiB);
  });

  it('among many leaves enough for everybody: all of them stay within the window of the connection', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const bodies = Array.from({ length: 40 }, () => generated(16 * MiB));
    for (const body of bodies) here.send({ header: {}, body });
    await turns.settle();
    const readers = heard.envelopes.map(({ body }) => readerOf(body));
    let taken = 0;
    for (let round = 0; round < 5; round += 1)
      for (const reader of readers)
        taken += ((await turns.until(reader.next())).value as Uint8Array).byteLength;
    await turns.settle();
    const given = bodies.reduce((sum, body) => sum + body.given, 0);
    const chunks = bodies.length * (LIMITS.chunkBytes + 64 * KiB);
    expect(given - taken).toBeLessThanOrEqual(LIMITS.connectionWindowBytes + chunks);
    const eager = readers.at(-1) as AsyncIterator<Uint8Array>;
    for (let bytes = 0; bytes < 8 * MiB;)
      bytes += ((await turns.until(eager.next())).value as Uint8Array).byteLength;
  });
});

describe('the window of a sender', () => {
  it('is full when the pipe does not take more, and tells when it has room', async () => {
    const { turns, here, there } = connected({ limits: { connectionWindowBytes: 100_000 } });
    const heard = new Heard(there);
    expect(here.full).toBe(false);
    expect(here.send({ header: { n: 1 }, body: inMemory(pattern(50_000)) })).toBe(true);
    expect(here.send({ header: { n: 2 }, body: inMemory(pattern(50_000)) })).toBe(false);
    expect(here.full).toBe(true);
    const drained = here.drained();
    expect(here.send({ header: { n: 3 } })).toBe(false);
    await turns.until(drained);
    expect(here.full).toBe(false);
    await turns.settle();
    expect(heard.numbers).toEqual([1, 2, 3]);
    await here.drained();
  });

  it('is not full of bodies that wait for their readers, so that what is said about them still goes', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    for (let n = 0; n < 100; n += 1)
      expect(here.send({ header: { n }, body: generated(8 * MiB) })).toBe(true);
    await turns.settle();
    expect(here.send({ header: { type: 'v1.routine.cancel' } })).toBe(true);
    await turns.settle();
    expect(heard.envelopes.at(-1)?.header).toEqual({ type: 'v1.routine.cancel' });
  });

  it('is full with half as many bodies as may be under way, so that the peer never has to close', async () => {
    const { turns, here, there, violations } = connected({ limits: { openBodies: 8 } });
    const heard = new Heard(there);
    const answers = Array.from({ length: 8 }, () => here.send({ header: {}, body: generated(MiB) }));
    expect(answers).toEqual([true, true, true, false, false, false, false, false]);
    await turns.settle();
    const drained = here.drained();
    for (const { body } of heard.envelopes) await readerOf(body).return?.();
    await turns.until(drained);
    expect(violations).toEqual([]);
    for (let n = 0; n < 9; n += 1) here.send({ header: {}, body: generated(MiB) });
    await turns.settle();
    expect(violations).toEqual([
      expect.objectContaining({ message: expect.stringContaining('while 8 bodies are under way') }),
    ]);
  });
});

describe('a relay', () => {
  it('passes 256 MiB on to a slow sink and holds less than the windows', async () => {
    const turns = new Turns(7);
    const [first, second] = [connectedIn(turns), connectedIn(turns)];
    relay(first.there, second.here);
    const sink = new Heard(second.there);
    const source = generated(256 * MiB);
    first.here.send({ header: { n: 1 }, body: source });
    const { body } = await turns.until(sink.take());
    let taken = 0;
    let most = 0;
    const expected = pattern(64 * KiB);
    for (const reader = readerOf(body); ;) {
      const next = await turns.until(reader.next());
      if (next.done === true) break;
      const at = taken % expected.byteLength;
      const same = Math.min(next.value.byteLength, expected.byteLength - at);
      expect(Buffer.compare(next.value.subarray(0, same), expected.subarray(at, at + same))).toBe(0);
      taken += next.value.byteLength;
      await turns.settle();
      most = Math.max(most, source.given - taken);
    }
    expect(taken).toBe(256 * MiB);
    // Two hops, each with what was asked for, what came unasked and a message or two in hand.
    const hop = LIMITS.streamWindowBytes + LIMITS.initialWindowBytes + 2 * LIMITS.chunkBytes;
    expect(most).toBeLessThanOrEqual(2 * hop);
    expect(most).toBeGreaterThan(LIMITS.streamWindowBytes);
  });

  it('copies no large chunk of what it passes on', async () => {
    const turns = new Turns();
    const [first, second] = [connectedIn(turns), connectedIn(turns)];
    relay(first.there, second.here);
    const sink = new Heard(second.there);
    first.here.send({ header: {}, body: inMemory(pattern(2 * MiB)) });
    const { body } = await turns.until(sink.take());
    await turns.until(read(body));
    const large = (sent: readonly Uint8Array[]) => sent.filter((message) => message.byteLength > 100 * KiB);
    const arrived = new Set(large(first.pipe.here.sent).map((message) => message.buffer));
    expect(large(second.pipe.here.sent).length).toBeGreaterThan(4);
    expect(large(second.pipe.here.sent).every((message) => arrived.has(message.buffer))).toBe(true);
  });

  it('hands a cancellation back to the source, and a failure on to the sink', async () => {
    const turns = new Turns();
    const [first, second] = [connectedIn(turns), connectedIn(turns)];
    relay(first.there, second.here);
    const sink = new Heard(second.there);
    let isReturned = false;
    const watched = streamed(64 * MiB, async function* () {
      try {
        for (;;) yield pattern(64 * KiB);
      } finally {
        isReturned = true;
      }
    });
    const broken = streamed(64 * MiB, async function* () {
      yield pattern(64 * KiB);
      throw new Error('the source broke');
    });
    for (const body of [watched, broken]) first.here.send({ header: {}, body });
    const cancelled = readerOf((await turns.until(sink.take())).body);
    await turns.until(cancelled.next());
    await cancelled.return?.();
    const failed: Envelope = await turns.until(sink.take());
    await expect(turns.until(read(failed.body))).rejects.toThrow('the source broke');
    await turns.settle();
    expect(isReturned).toBe(true);
  });
});
