import { beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/lifecycle/platform/system-clock.js';
import { LIMITS } from '../../src/model/limits.js';
import type { StreamMessage } from '../../src/thread/messages.js';
import { PortStreams } from '../../src/thread/port-streams.js';

let guest: PortStreams;
let host: PortStreams;
let messages: StreamMessage[];
let sentBytes: number;

beforeEach(() => {
  messages = [];
  sentBytes = 0;
  guest = new PortStreams({
    ...{ runId: 'run', clock: systemClock },
    send(message, value) {
      messages.push(message);
      sentBytes += value?.buffers[0]?.byteLength ?? 0;
      host.receive(message, value);
    },
  });
  host = new PortStreams({
    ...{ runId: 'run', clock: systemClock },
    send(message, value) {
      messages.push(message);
      guest.receive(message, value);
    },
  });
});

/** Gives so many chunks and counts what it gave; fails behind them, if it is to. */
class Source {
  given = 0;
  isEnded = false;

  constructor(
    readonly count: number,
    readonly byteLength: number,
    readonly failure?: Error,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    try {
      for (let index = 0; index < this.count; index += 1) {
        this.given += 1;
        yield new Uint8Array(this.byteLength).fill(index);
      }
      if (this.failure) throw this.failure;
    } finally {
      this.isEnded = true;
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function lengthOf(chunks: AsyncIterable<Uint8Array>): Promise<number> {
  let length = 0;
  for await (const chunk of chunks) length += chunk.byteLength;
  return length;
}

it('holds nothing when a stream was read to its end', async () => {
  const chunks = host.read(1);
  guest.write(1, new Source(100, 100_000));
  expect([guest.size, host.size]).toEqual([1, 1]);
  expect(await lengthOf(chunks)).toBe(10_000_000);
  expect([guest.size, host.size]).toEqual([0, 0]);
});

it('sends no more than the window before anybody reads', async () => {
  const source = new Source(100, 100_000);
  const chunks = host.read(1);
  guest.write(1, source);
  await turn();
  await turn();
  expect(sentBytes).toBe(LIMITS.threadWindowBytes);
  expect(source.given).toBe(Math.ceil(LIMITS.threadWindowBytes / 100_000));
  expect(await lengthOf(chunks)).toBe(10_000_000);
});

it('cuts chunks that are too long for one message', async () => {
  const chunks = host.read(1);
  guest.write(1, new Source(1, 3 * LIMITS.threadWindowBytes + 1));
  for await (const chunk of chunks) expect(chunk.byteLength).toBeLessThanOrEqual(LIMITS.chunkBytes);
  expect(sentBytes).toBe(3 * LIMITS.threadWindowBytes + 1);
});

it('sends long chunks in memory that came back, and never in memory that is still lent', async () => {
  const chunks = host.read(1);
  guest.write(1, new Source(200, LIMITS.chunkBytes));
  const memories = new Set<ArrayBufferLike>();
  let expected = 0;
  for await (const chunk of chunks) {
    memories.add(chunk.buffer);
    await turn();
    expect([chunk[0], chunk.at(-1), chunk.byteLength]).toEqual([expected, expected, LIMITS.chunkBytes]);
    expected += 1;
  }
  expect(expected).toBe(200);
  expect(memories.size).toBeLessThanOrEqual(LIMITS.threadWindowBytes / LIMITS.chunkBytes + 1);
});

it('puts small chunks together', async () => {
  const chunks = host.read(1);
  guest.write(1, new Source(100_000, 10));
  expect(await lengthOf(chunks)).toBe(1_000_000);
  expect(messages.length).toBeLessThan(100);
});

it('sends a small chunk though no more follow for now', async () => {
  async function* waiting(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array([1]);
    await new Promise(() => undefined);
  }
  const iterator = host.read(1)[Symbol.asyncIterator]();
  guest.write(1, waiting());
  expect((await iterator.next()).value).toEqual(new Uint8Array([1]));
});

it('tells the failure of a stream to its reader, and holds nothing then', async () => {
  const failure = Object.assign(new TypeError('torn'), { code: 'TAPE' });
  const told: unknown[] = [];
  const chunks = host.read(1);
  guest.write(1, new Source(1, 10, failure), (error) => told.push(error));
  await expect(lengthOf(chunks)).rejects.toMatchObject({ name: 'TypeError', message: 'torn', code: 'TAPE' });
  expect(told).toEqual([failure]);
  expect([guest.size, host.size]).toEqual([0, 0]);
});

it.each([
  ['while it waits for credit', 100],
  ['after it was sent', 1],
])('ends the source when the reader stops %s', async (_, count) => {
  const source = new Source(count, 100_000);
  guest.write(1, source);
  for await (const _chunk of host.read(1)) break;
  await turn();
  expect(source.isEnded).toBe(true);
  expect([guest.size, host.size]).toEqual([0, 0]);
});

it('fails its readers and ends its sources when it is closed', async () => {
  const source = new Source(100, 100_000);
  guest.write(1, source);
  const lost = host.read(2);
  host.close(new Error('the thread is gone'));
  guest.close(new Error('the run is over'));
  await expect(lengthOf(lost)).rejects.toThrow('the thread is gone');
  await expect(lengthOf(host.read(3))).rejects.toThrow('the thread is gone');
  await turn();
  expect(source.isEnded).toBe(true);
  expect([guest.size, host.size]).toEqual([0, 0]);
});

it('begins no stream after it is closed', async () => {
  const source = new Source(1, 10);
  guest.close(new Error('the run is over'));
  guest.write(1, source);
  await turn();
  expect([source.given, messages.length]).toEqual([0, 0]);
});
