import { describe, expect, it } from 'vitest';
import type { Body } from '../../src/model/body.js';
import { Heard, connected, inMemory, lent, pattern, read, readerOf, streamed } from './connected.js';

const MiB = 1024 * 1024;
const closedError = expect.objectContaining({ code: 'TRANSPORT_CLOSED' });

describe('closing a connection', () => {
  it('still sends what was given to it, large bodies too, and then ends both sides', async () => {
    const { turns, pipe, here, there } = connected({ windowBytes: 100_000 });
    const [heardHere, heard] = [new Heard(here), new Heard(there)];
    const states: unknown[] = [];
    there.state$.subscribe({ next: (state) => states.push(state), complete: () => states.push('complete') });
    const bytes = pattern(6 * MiB);
    here.send({ header: { n: 1 }, body: inMemory(bytes) });
    here.send({ header: { n: 2 } });
    const closing = here.close('all is said');
    expect(() => here.send({ header: {} })).toThrow(closedError);
    const { body } = await turns.until(heard.take());
    expect(Buffer.compare(await turns.until(read(body)), bytes)).toBe(0);
    await turns.until(closing);
    await turns.settle();
    expect(heard.numbers).toEqual([1, 2]);
    expect([heard.isComplete, heardHere.isComplete]).toEqual([true, true]);
    expect(states).toEqual(['open', 'closed', 'complete']);
    expect(pipe.here.reason).toBe('all is said');
    expect(turns.pendingTimers).toBe(0);
  });

  it('twice is closing once', async () => {
    const { turns, here, there } = connected();
    new Heard(there);
    await turns.until(Promise.all([here.close(), here.close(), there.close()]));
    await turns.until(here.close());
    for (const end of [here, there]) {
      expect(() => end.send({ header: {} })).toThrow(closedError);
      await expect(end.drained()).rejects.toEqual(closedError);
    }
    expect(turns.pendingTimers).toBe(0);
  });

  it('waits no longer for a body that nobody reads than it is told to', async () => {
    const { turns, here, there } = connected({ limits: { drainMs: 500 } });
    const heard = new Heard(there);
    let isReturned = false;
    const endless = streamed(64 * MiB, async function* () {
      try {
        for (;;) yield new Uint8Array(65_536);
      } finally {
        isReturned = true;
      }
    });
    here.send({ header: {}, body: endless });
    const { body } = await turns.until(heard.take());
    const closing = here.close();
    await turns.settle();
    expect(heard.isComplete).toBe(false);
    await turns.advance(500);
    await closing;
    expect([heard.isComplete, isReturned]).toEqual([true, true]);
    await expect(read(body)).rejects.toEqual(closedError);
  });

  it('tells its own readers at once, and what still comes is dropped', async () => {
    const { turns, here, there, violations } = connected();
    const [heardHere, heardThere] = [new Heard(here), new Heard(there)];
    there.send({ header: { n: 1 }, body: inMemory(pattern(4 * MiB)) });
    const { body } = await turns.until(heardHere.take());
    const reader = readerOf(body);
    await turns.until(reader.next());
    here.send({ header: { n: 2 }, body: inMemory(pattern(MiB)) });
    const closing = here.close();
    there.send({ header: { n: 3 }, body: inMemory(pattern(MiB)) });
    await expect(
      turns.until(read(streamed(1, () => ({ [Symbol.asyncIterator]: () => reader })))),
    ).rejects.toEqual(closedError);
    await turns.until(heardThere.take().then((envelope) => read(envelope.body)));
    await turns.until(closing);
    await turns.settle();
    expect(heardHere.numbers).toEqual([1]);
    expect(heardHere.isComplete).toBe(true);
    expect(violations).toEqual([]);
  });

  it('by a pipe that breaks cuts every body, tells those who wait, and keeps the cause', async () => {
    const { turns, pipe, here, there } = connected({ limits: { connectionWindowBytes: 100_000 } });
    const heard = new Heard(there);
    let isReturned = false;
    const watched = streamed(MiB, async function* () {
      try {
        yield* lent(pattern(MiB), 50_000).chunks();
      } finally {
        isReturned = true;
      }
    });
    here.send({ header: {}, body: watched });
    const { body } = await turns.until(heard.take());
    const reader = readerOf(body);
    await turns.until(reader.next());
    here.send({ header: { text: 'x'.repeat(100_000) } });
    expect(here.full).toBe(true);
    const results = Promise.allSettled([
      here.drained(),
      read(streamed(1, () => ({ [Symbol.asyncIterator]: () => reader }))),
    ]);
    const cause = new Error('the cable was pulled');
    pipe.here.break(cause);
    const [waited, cut] = await turns.until(results);
    expect(waited).toMatchObject({ reason: { code: 'TRANSPORT_CLOSED', cause } });
    expect(cut).toMatchObject({ reason: { code: 'TRANSPORT_CLOSED' } });
    await turns.settle();
    expect([isReturned, heard.isComplete, here.full]).toEqual([true, true, false]);
    expect(() => here.send({ header: {} })).toThrow(closedError);
    expect(turns.pendingTimers).toBe(0);
  });

  it('hands over what arrived before the pipe closed, whole bodies too', async () => {
    const { turns, pipe, here, there } = connected();
    const heard = new Heard(there);
    const bytes = pattern(MiB / 4 + 10);
    here.send({
      header: { n: 1 },
      body: streamed(200_000, () => lent(bytes.subarray(0, 200_000), 9_000).chunks()),
    });
    here.send({ header: { n: 2 } });
    await turns.settle();
    pipe.here.close();
    await turns.settle();
    expect(heard.numbers).toEqual([1, 2]);
    expect(heard.isComplete).toBe(true);
    const got = await read(heard.envelopes[0]?.body);
    expect(Buffer.compare(got, bytes.subarray(0, 200_000))).toBe(0);
  });

  it('hands over what arrived while nobody listened and the pipe was paused', async () => {
    const { turns, pipe, here, there } = connected({ limits: { connectionWindowBytes: 1_000 } });
    for (let n = 0; n < 10; n += 1) {
      here.send({ header: { n } });
      await turns.settle();
    }
    expect(pipe.there.isPaused).toBe(true);
    pipe.here.close();
    await turns.settle();
    const heard = new Heard(there);
    await turns.settle();
    expect(heard.numbers).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(heard.isComplete).toBe(true);
  });

  it('tells the reader of a body, though nobody listens any more and the pipe is paused', async () => {
    const { turns, pipe, here, there } = connected({ limits: { connectionWindowBytes: 2_000 } });
    const bodies: (Body | undefined)[] = [];
    const subscription = there.inbound$.subscribe(({ body }) => bodies.push(body));
    here.send({ header: {}, body: inMemory(pattern(MiB)) });
    await turns.settle();
    subscription.unsubscribe();
    for (let n = 0; n < 20; n += 1) {
      here.send({ header: { n } });
      await turns.settle();
    }
    const reading = Promise.allSettled([read(bodies[0])]);
    await turns.settle();
    expect(pipe.there.isPaused).toBe(true);
    pipe.here.close();
    expect(await turns.until(reading)).toEqual([{ status: 'rejected', reason: closedError }]);
  });

  it('tells those who wait for room at once', async () => {
    const { here } = connected({ limits: { connectionWindowBytes: 1_000 } });
    here.send({ header: { text: 'x'.repeat(2_000) } });
    const waiting = here.drained();
    void here.close();
    await expect(waiting).rejects.toEqual(closedError);
  });

  it('hands out no Subject', () => {
    const { here } = connected();
    expect(here.state$).not.toHaveProperty('next');
    expect((here.state$ as unknown as { source?: unknown }).source).toBeUndefined();
  });
});
