import { Observable } from 'rxjs';
import { expect, it } from 'vitest';
import { LIMITS } from '../../src/model/limits.js';
import type { MessagePipe } from '../../src/ports/message-pipe.js';
import type { Connection } from '../../src/ports/transport.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { WatchedBody } from '../../src/protocol/watched-body.js';
import { Heard, inMemory, lent, pattern, read, readerOf, streamed } from './connected.js';
import { MemoryPipe, Turns } from './memory-pipe.js';

const BYTES = 16 * 1024 * 1024 + 77;
/** Long messages that one hop may have under way: its windows, those in the pipe, and one in hand. */
const UNDER_WAY =
  (LIMITS.streamWindowBytes + LIMITS.initialWindowBytes + 2 * 1024 * 1024) / LIMITS.chunkBytes + 2;

/** An end of a pipe that hears in memory of its own, which it uses again as it is given back, and spoils before. */
class RecyclingPipe implements MessagePipe {
  readonly #end: MemoryPipe;
  readonly #turns: Turns;
  readonly #spare: Uint8Array[] = [];
  /** Messages that were heard and not given back, by the memory that they fill. */
  readonly #out = new Map<ArrayBufferLike, Uint8Array>();
  /** Memories that long messages were heard in. */
  readonly memories = new Set<ArrayBufferLike>();
  recycled = 0;

  constructor(end: MemoryPipe, turns: Turns) {
    this.#end = end;
    this.#turns = turns;
  }

  readonly messages$ = new Observable<Uint8Array>((subscriber) =>
    this.#end.messages$.subscribe({
      next: (message) => subscriber.next(this.#received(message)),
      complete: () => subscriber.complete(),
    }),
  );

  /** Copies what it sends, and spoils it before it is released, a turn later. */
  send(message: Uint8Array, released?: () => void): boolean {
    const hasRoom = this.#end.send(Uint8Array.from(message));
    if (released)
      this.#turns.nextTurn(() => {
        message.fill(0xdd);
        released();
      });
    return hasRoom;
  }

  recycle(message: Uint8Array): void {
    const whole = this.#out.get(message.buffer);
    if (!whole) throw new Error('What is no message, or was given back already, is given back');
    if (message.byteOffset !== whole.byteOffset || message.byteLength !== whole.byteLength)
      throw new Error('A part of a message is given back');
    this.#out.delete(message.buffer);
    this.recycled += 1;
    whole.fill(0xee);
    if (isLong(whole)) this.#spare.push(new Uint8Array(whole.buffer));
  }

  get peer(): string {
    return this.#end.peer;
  }

  get capabilities(): MemoryPipe['capabilities'] {
    return this.#end.capabilities;
  }

  get closed(): MemoryPipe['closed'] {
    return this.#end.closed;
  }

  drained(): Promise<void> {
    return this.#end.drained();
  }

  pause(): void {
    this.#end.pause();
  }

  resume(): void {
    this.#end.resume();
  }

  close(reason?: string): void {
    this.#end.close(reason);
  }

  #received(message: Uint8Array): Uint8Array {
    const memory = (isLong(message) && this.#spare.pop()) || new Uint8Array(LIMITS.chunkBytes);
    const received = memory.subarray(0, message.byteLength);
    received.set(message);
    this.#out.set(received.buffer, received);
    if (isLong(message)) this.memories.add(received.buffer);
    return received;
  }
}

const isLong = ({ byteLength }: Uint8Array): boolean => byteLength > LIMITS.chunkBytes / 4;

interface Hop {
  readonly near: Connection;
  readonly far: Connection;
  readonly farPipe: RecyclingPipe;
}

/** A connection both ends of which use memory again. */
function hop(turns: Turns): Hop {
  const { here, there } = MemoryPipe.pair(turns);
  const farPipe = new RecyclingPipe(there, turns);
  const nearPipe = new RecyclingPipe(here, turns);
  return { near: multiplex(nearPipe, { clock: turns }), far: multiplex(farPipe, { clock: turns }), farPipe };
}

/** All bytes of a body, whose chunks are not kept. */
async function copied(body: Parameters<typeof readerOf>[0]): Promise<Uint8Array> {
  const bytes = new Uint8Array(body?.byteLength ?? 0);
  let filled = 0;
  for await (const chunk of body?.chunks() ?? []) {
    bytes.set(chunk, filled);
    filled += chunk.byteLength;
  }
  return bytes.subarray(0, filled);
}

const isEqual = (one: Uint8Array, two: Uint8Array): boolean => Buffer.compare(one, two) === 0;

it.each([
  ['whole', (bytes: Uint8Array) => inMemory(bytes)],
  ['in lent chunks of odd lengths', (bytes: Uint8Array) => lent(bytes, 200_003)],
  ['in small chunks', (bytes: Uint8Array) => lent(bytes, 9_001)],
])('a body sent %s is read in memory that the pipe uses again, and arrives exact', async (_, bodyFor) => {
  const turns = new Turns(3);
  const { near, far, farPipe } = hop(turns);
  const heard = new Heard(far);
  const bytes = pattern(BYTES);
  near.send({ header: {}, body: bodyFor(bytes) });
  const { body } = await turns.until(heard.take());
  expect(isEqual(await turns.until(copied(body)), bytes)).toBe(true);
  expect(farPipe.memories.size).toBeLessThanOrEqual(UNDER_WAY);
});

it('a relay gives a message back once the next hop has sent all of it, and passes everything on exact', async () => {
  const turns = new Turns(5);
  const [first, second] = [hop(turns), hop(turns)];
  first.far.inbound$.subscribe(({ header, body }) =>
    second.near.send({ header, ...(body && { body: new WatchedBody(body, {}) }) }),
  );
  const heard = new Heard(second.far);
  const [one, two] = [pattern(BYTES, 1), pattern(BYTES, 2)];
  first.near.send({ header: {}, body: lent(one, 150_001) });
  first.near.send({ header: {}, body: inMemory(two) });
  const bodies = [(await turns.until(heard.take())).body, (await turns.until(heard.take())).body];
  const came = await turns.until(Promise.all(bodies.map(copied)));
  expect(came.map((bytes, index) => isEqual(bytes, [one, two][index] as Uint8Array))).toEqual([true, true]);
  await turns.settle();
  const { memories, recycled } = first.farPipe;
  expect(memories.size).toBeLessThanOrEqual(2 * UNDER_WAY);
  expect(recycled).toBeGreaterThanOrEqual(Math.floor((2 * BYTES) / LIMITS.chunkBytes));
});

it("a chunk is the reader's until it asks for the next, and the last one for as long as it likes", async () => {
  const turns = new Turns();
  const { near, far, farPipe } = hop(turns);
  const heard = new Heard(far);
  const bytes = pattern(3 * LIMITS.chunkBytes);
  near.send({ header: {}, body: inMemory(bytes) });
  const reader = readerOf((await turns.until(heard.take())).body);
  const first = await turns.until(reader.next());
  await turns.settle();
  expect([farPipe.recycled, isEqual(first.value, bytes.subarray(0, first.value.byteLength))]).toEqual([
    0,
    true,
  ]);
  const at = first.value.byteLength;
  const { value } = await turns.until(reader.next());
  expect(farPipe.recycled).toBe(1);
  await turns.until(Promise.resolve(reader.return?.()));
  await turns.settle();
  expect(isEqual(value, bytes.subarray(at, at + value.byteLength))).toBe(true);
});

it('what arrives of a body that nobody wants any more is given back', async () => {
  const turns = new Turns();
  const { near, far, farPipe } = hop(turns);
  const heard = new Heard(far);
  near.send({ header: {}, body: inMemory(pattern(BYTES)) });
  const reader = readerOf((await turns.until(heard.take())).body);
  await turns.until(reader.next());
  await turns.settle();
  expect(farPipe.recycled).toBe(0);
  await reader.return?.();
  await turns.settle();
  expect(farPipe.recycled).toBe(farPipe.memories.size - 1);
  expect(farPipe.recycled).toBeGreaterThan(4);
});

it('bytes that came in one message with others are never given back', async () => {
  const turns = new Turns();
  const { near, far, farPipe } = hop(turns);
  const heard = new Heard(far);
  const chunks = Array.from({ length: 40 }, (_, index) => pattern(7_000, index));
  near.send({
    header: {},
    body: streamed(280_000, async function* () {
      yield* chunks;
    }),
  });
  near.send({ header: {}, body: inMemory(pattern(50_000)) });
  const [streaming, inline] = [await turns.until(heard.take()), await turns.until(heard.take())];
  expect(isEqual(await turns.until(read(streaming.body)), Buffer.concat(chunks))).toBe(true);
  expect(isEqual(await turns.until(read(inline.body)), pattern(50_000))).toBe(true);
  expect(farPipe.recycled).toBe(0);
});
