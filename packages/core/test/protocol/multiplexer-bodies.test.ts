import { describe, expect, it } from 'vitest';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import { LIMITS } from '../../src/model/limits.js';
import { Heard, connected, inMemory, lent, pattern, read, readerOf, streamed } from './connected.js';

const MiB = 1024 * 1024;

describe('many bodies at once', () => {
  it('interleave, each exact, and none waits for another to end', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const bodies = Array.from({ length: 20 }, (_, index) => pattern(MiB + 1_000 * index, index));
    for (const [n, bytes] of bodies.entries())
      here.send({ header: { n }, body: n % 2 ? inMemory(bytes) : lent(bytes, 100_000) });
    const ends: number[] = [];
    const firsts: number[] = [];
    const readOne = async (n: number): Promise<void> => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of heard.envelopes[n]?.body?.chunks() ?? []) {
        if (chunks.length === 0) firsts.push(ends.length);
        chunks.push(chunk);
      }
      ends.push(n);
      expect(Buffer.compare(Buffer.concat(chunks), bodies[n] as Uint8Array)).toBe(0);
    };
    await turns.settle();
    await turns.until(Promise.all(bodies.map((_, n) => readOne(n))));
    expect(firsts).toEqual(bodies.map(() => 0));
  });

  it('are overtaken by a directive', async () => {
    const { turns, pipe, here, there } = connected({ windowBytes: MiB });
    const heard = new Heard(there);
    let given = 0;
    const gigabyte = streamed(1024 * MiB, async function* () {
      const chunk = new Uint8Array(MiB);
      for (given = 0; given < 1024 * MiB; given += MiB) yield chunk;
    });
    here.send({ header: { n: 0 }, body: gigabyte });
    const { body } = await turns.until(heard.take());
    const reader = readerOf(body);
    for (let count = 0; count < 20; count += 1) await turns.until(reader.next());
    const before = given;
    here.send({ header: { type: 'v1.heartbeat.check_pulse' } });
    await turns.until(heard.take());
    expect(given - before).toBeLessThanOrEqual(LIMITS.streamWindowBytes);
    expect(pipe.there.mostBytes).toBeLessThanOrEqual(2 * MiB);
    await reader.return?.();
    await turns.settle();
  });

  it('go both ways at once', async () => {
    const { turns, here, there } = connected({ windowBytes: 300_000 });
    const [heardHere, heardThere] = [new Heard(here), new Heard(there)];
    const [one, two] = [pattern(6 * MiB, 1), pattern(6 * MiB, 2)];
    here.send({ header: {}, body: inMemory(one) });
    there.send({ header: {}, body: lent(two, 99_999) });
    const arrived = Promise.all([heardThere.take(), heardHere.take()]).then((envelopes) =>
      Promise.all(envelopes.map(({ body }) => read(body))),
    );
    const [gotThere, gotHere] = await turns.until(arrived);
    expect(Buffer.compare(gotThere as Uint8Array, one)).toBe(0);
    expect(Buffer.compare(gotHere as Uint8Array, two)).toBe(0);
  });

  it('stay in the order of their envelopes, small and large ones mixed', async () => {
    const { turns, here, there } = connected({ windowBytes: 50_000 });
    const heard = new Heard(there);
    for (let n = 0; n < 60; n += 1) {
      const length = [0, 10, 200_000, 300_000][n % 4] as number;
      here.send(length === 0 ? { header: { n } } : { header: { n }, body: inMemory(pattern(length, n)) });
    }
    await turns.settle();
    expect(heard.numbers).toEqual(Array.from({ length: 60 }, (_, n) => n));
    for (const [n, { body }] of heard.envelopes.entries()) {
      const bytes = await turns.until(read(body));
      expect(Buffer.compare(bytes, pattern([0, 10, 200_000, 300_000][n % 4] as number, n))).toBe(0);
    }
  });
});

describe('a body that is given up', () => {
  it('by its reader ends at its sender, and leaves the others', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    let isReturned = false;
    const bytes = pattern(20 * MiB);
    const watched = streamed(bytes.byteLength, async function* () {
      try {
        yield* lent(bytes, 65_536).chunks();
      } finally {
        isReturned = true;
      }
    });
    for (const body of [inMemory(bytes), watched, inMemory(bytes)]) here.send({ header: {}, body });
    const [first, second, third] = [
      await turns.until(heard.take()),
      await turns.until(heard.take()),
      await turns.until(heard.take()),
    ];
    const reader = readerOf(second?.body);
    await turns.until(reader.next());
    await reader.return?.();
    expect(await reader.next()).toEqual({ done: true, value: undefined });
    const both = Promise.all([read(first?.body), read(third?.body)]);
    for (const got of await turns.until(both)) expect(Buffer.compare(got, bytes)).toBe(0);
    await turns.settle();
    expect(isReturned).toBe(true);
    expect(here.full).toBe(false);
  });

  it('before anybody read it ends at its sender as well', async () => {
    const { turns, pipe, here, there, violations } = connected();
    const heard = new Heard(there);
    here.send({ header: {}, body: inMemory(pattern(MiB)) });
    const { body } = await turns.until(heard.take());
    await readerOf(body).return?.();
    await turns.settle();
    const sent = pipe.here.sent.length;
    await turns.until(here.close());
    expect(pipe.here.sent.length).toBe(sent);
    expect(violations).toEqual([]);
  });

  it('by a sender that throws fails at its reader with the code, and leaves the others', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const broken = streamed(MiB, async function* () {
      yield pattern(300_000);
      throw new RoutineEngineError('STORE_UNREACHABLE', 'the disk is gone');
    });
    const odd = streamed(MiB, async function* () {
      yield pattern(10);
      throw 'just a text';
    });
    here.send({ header: {}, body: broken });
    here.send({ header: {}, body: odd });
    here.send({ header: {}, body: inMemory(pattern(MiB)) });
    const envelopes = [
      await turns.until(heard.take()),
      await turns.until(heard.take()),
      await turns.until(heard.take()),
    ];
    const results = await turns.until(Promise.allSettled(envelopes.map(({ body }) => read(body))));
    expect(results.map((result) => (result.status === 'rejected' ? result.reason : 'read'))).toEqual([
      expect.objectContaining({
        code: 'STORE_UNREACHABLE',
        message: expect.stringContaining('the disk is gone'),
      }),
      expect.objectContaining({ code: 'TRANSPORT_CLOSED', message: expect.stringContaining('just a text') }),
      'read',
    ]);
  });

  it.each([
    ['shorter', 999, 'ended 1 bytes short of its 300000'],
    ['longer', 1_001, 'has more than its 300000'],
  ])('because it is %s than it said fails at its reader', async (_, last, detail) => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    const wrong = streamed(300_000, async function* () {
      yield pattern(299_000);
      yield pattern(last);
    });
    here.send({ header: {}, body: wrong });
    const { body } = await turns.until(heard.take());
    await expect(turns.until(read(body))).rejects.toMatchObject({
      code: 'BYTES_MALFORMED',
      message: expect.stringContaining(detail),
    });
    here.send({ header: { n: 1 } });
    expect((await turns.until(heard.take())).header).toEqual({ n: 1 });
  });

  it('is read once', async () => {
    const { turns, here, there } = connected();
    const heard = new Heard(there);
    here.send({ header: {}, body: inMemory(pattern(MiB)) });
    const { body } = await turns.until(heard.take());
    body?.chunks();
    expect(() => body?.chunks()).toThrow('read once');
  });
});
