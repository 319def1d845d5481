import { once } from 'node:events';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { ReadableStream } from 'node:stream/web';
import { describe, expect, it, onTestFinished } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { snapshot } from '../../src/codec/snapshot.js';
import type { EncodedValue, ValueStream } from '../../src/ports/codec.js';
import type { Serializer } from '../../src/ports/serializer.js';
import { countingBytes } from './stored-value.js';

const codec = new MsgpackrCodec();
const encode = (value: unknown): EncodedValue => codec.encode(value, { streams: true, path: 'result' });

async function* bytes(...chunks: number[][]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Uint8Array.from(chunk);
}

/** A web stream of two chunks that notes how it ends. */
function webStream(): { stream: ReadableStream; cancelled: () => number } {
  let cancelled = 0;
  const chunks = [Uint8Array.of(1), Uint8Array.of(2)];
  const stream = new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk) controller.enqueue(chunk);
      else controller.close();
    },
    cancel() {
      cancelled += 1;
    },
  });
  return { stream, cancelled: () => cancelled };
}

function fileStream(content: Uint8Array): Readable {
  const folder = mkdtempSync(join(tmpdir(), 'streams-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'content');
  writeFileSync(file, content);
  return createReadStream(file, { highWaterMark: 1000 });
}

async function contentOf(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(parts));
}

describe('a stream in a value', () => {
  it('is one of the last buffers, which is empty, and tells its path and part', () => {
    const log = bytes([1]);
    const { stream } = webStream();
    const encoded = encode({ log, table: new Float64Array(500), small: Uint8Array.of(7), more: [stream] });
    expect(encoded.streams).toBe(2);
    expect(encoded.buffers.map(({ byteLength }) => byteLength)).toEqual([4000, 1, 0, 0]);
    expect(encoded.valueStreams?.map(({ value, path, part }) => ({ value, path, part }))).toEqual([
      { value: log, path: 'result.log', part: 4 },
      { value: stream, path: 'result.more[0]', part: 3 },
    ]);
  });

  it.each<[string, () => object]>([
    ['an async generator', () => bytes([0, 1, 2], [], [3, 4])],
    ['a web stream', () => new Response(countingBytes(5)).body as object],
    ['a Readable of a file', () => fileStream(countingBytes(5))],
    ['a Readable of buffers', () => Readable.from([Buffer.of(0, 1), Buffer.of(2, 3, 4)])],
    ['an object without a class', () => ({ [Symbol.asyncIterator]: () => bytes([0, 1, 2, 3, 4]) })],
    [
      'an instance of a class',
      () =>
        new (class Log {
          [Symbol.asyncIterator] = () => bytes([0, 1, 2, 3, 4]);
        })(),
    ],
  ])('may be %s, and gives its bytes', async (_, make) => {
    const [stream] = encode([make()]).valueStreams as [ValueStream];
    expect(await contentOf(stream.chunks)).toEqual(countingBytes(5));
  });

  it('is not read before its chunks are asked for', () => {
    let begun = false;
    async function* body(): AsyncGenerator<Uint8Array> {
      begun = true;
      yield Uint8Array.of(1);
    }
    expect(encode(body()).streams).toBe(1);
    expect(begun).toBe(false);
  });

  it('is carried by the serializer that claims it, and then it is none', () => {
    class Feed {
      constructor(readonly items: number[]) {}
      async *[Symbol.asyncIterator](): AsyncGenerator<number> {
        yield* this.items;
      }
    }
    const feeds = new MsgpackrCodec({
      serializers: [
        {
          key: 'test/Feed',
          claims: (value): value is Feed => value instanceof Feed,
          serialize: (feed) => (feed as Feed).items,
          deserialize: (items) => new Feed(items as number[]),
        },
      ],
    });
    const encoded = feeds.encode([new Feed([1, 2])], { streams: true });
    expect(encoded.streams).toBeUndefined();
    expect(feeds.decode(encoded)).toEqual([new Feed([1, 2])]);
  });

  it('is still there in a snapshot of what was encoded', () => {
    const encoded = encode([bytes([1]), new Uint8Array(2000)]);
    expect(snapshot(encoded).streams).toBe(1);
    expect(snapshot(encoded).buffers.map(({ byteLength }) => byteLength)).toEqual([2000, 0]);
  });
});

describe('a stream in an array that an instance shares with the value', () => {
  class Batch {
    constructor(readonly items: readonly unknown[]) {}
  }
  const codecWith = (deserialize: (items: unknown[]) => Batch): MsgpackrCodec =>
    new MsgpackrCodec({
      serializers: [
        {
          key: 'test/Batch',
          claims: (value): value is Batch => value instanceof Batch,
          serialize: ({ items }: Batch) => items,
          deserialize,
        } as Serializer<Batch, unknown[]> as Serializer,
      ],
    });
  const arriveBy = (codec: MsgpackrCodec): [Batch, unknown[]] => {
    const batch = new Batch([bytes([1])]);
    return codec.decode(codec.encode([batch, batch.items], { streams: true })) as [Batch, unknown[]];
  };

  it('is encoded again when its serializer keeps the array', () => {
    const codec = codecWith((items) => new Batch(items));
    const arrived = arriveBy(codec);
    expect(arrived[0].items).toBe(arrived[1]);
    expect(codec.encode(arrived, { streams: true }).valueStreams).toHaveLength(1);
  });

  it('arrives, but is not encoded again, when its serializer makes the array anew', () => {
    const codec = codecWith((items) => new Batch([...items]));
    const arrived = arriveBy(codec);
    expect(arrived[0].items).not.toBe(arrived[1]);
    expect(arrived[0].items[0]).toBe(arrived[1][0]);
    expect(() => codec.encode(arrived, { streams: true, path: 'result' })).toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringMatching(/^result\[1\]\[0\] is a stream that stands in the value twice/),
      }),
    );
  });
});

describe('a stream is refused with its path', () => {
  const locked = webStream().stream;
  locked.getReader();
  const twice = bytes([1]);
  it.each<[string, unknown, RegExp]>([
    ['when somebody has a reader of it', { a: locked }, /^result\.a is a stream that has a reader; release/],
    ['when it stands in the value twice', [twice, { b: twice }], /^result\[1\]\.b is a stream that stands/],
  ])('%s', (_, value, message) => {
    expect(() => encode(value)).toThrow(
      expect.objectContaining({ code: 'VALUE_NOT_ENCODABLE', message: expect.stringMatching(message) }),
    );
  });

  it('when it was read from before', async () => {
    const { stream } = webStream();
    const reader = stream.getReader();
    await reader.read();
    reader.releaseLock();
    const readable = Readable.from([Buffer.of(1), Buffer.of(2)]);
    await once(readable, 'data');
    for (const read of [stream, readable]) {
      expect(() => encode([read])).toThrow(/^result\[0\] is a stream that was read from or cancelled; pass/);
    }
  });

  it.each([
    ['an async generator', () => bytes([1])],
    ['a web stream', () => webStream().stream],
    ['an object without a class', () => ({ [Symbol.asyncIterator]: () => bytes([1]) })],
  ])('where none may be, with what to do instead: %s', (_, make) => {
    const refusal = expect.objectContaining({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringMatching(/^args\[0\] is a stream; only a result may be or hold one: pass a Ref/),
    });
    expect(() => codec.encode([make()], { path: 'args' })).toThrow(refusal);
    expect(() => codec.digest([make()], { path: 'args' })).toThrow(refusal);
  });
});

describe('the chunks of a stream', () => {
  const chunksOf = (value: unknown): AsyncIterator<Uint8Array> => {
    const [stream] = encode({ log: value }).valueStreams as [ValueStream];
    return stream.chunks[Symbol.asyncIterator]();
  };
  const ended = { done: true, value: undefined };

  it.each<[string, unknown]>([
    ['a text', 'text'],
    ['another typed array', Float64Array.of(1)],
    ['nothing', undefined],
  ])('are refused with the path of the stream, and end it, when one is %s', async (_, chunk) => {
    let closed = false;
    async function* body(): AsyncGenerator<unknown> {
      try {
        yield Uint8Array.of(1);
        yield chunk;
      } finally {
        closed = true;
      }
    }
    const chunks = chunksOf(body());
    expect((await chunks.next()).value).toEqual(Uint8Array.of(1));
    await expect(chunks.next()).rejects.toThrow(
      expect.objectContaining({
        code: 'VALUE_NOT_ENCODABLE',
        message: expect.stringMatching(/^result\.log is a stream with a chunk that is no Uint8Array; give/),
      }),
    );
    expect(closed).toBe(true);
    expect(await chunks.next()).toEqual(ended);
  });

  it('fail, naming the path, when the memory of a chunk was transferred away', async () => {
    const chunk = new Uint8Array(8);
    structuredClone(chunk, { transfer: [chunk.buffer] });
    const stream = (async function* () {
      yield chunk;
    })();
    const [encoded] = encode({ log: stream }).valueStreams ?? [];
    await expect(encoded?.chunks[Symbol.asyncIterator]().next()).rejects.toMatchObject({
      code: 'VALUE_NOT_ENCODABLE',
      message: expect.stringMatching(/^result\.log.*detached/),
    });
  });

  it('fail with what the stream throws, unchanged', async () => {
    const fault = new Error('disk on fire');
    // oxlint-disable-next-line require-yield -- it fails before its first chunk
    async function* body(): AsyncGenerator<Uint8Array> {
      throw fault;
    }
    await expect(chunksOf(body()).next()).rejects.toBe(fault);
  });

  it('fail with the error of a Readable that failed before they were asked for', async () => {
    const readable = createReadStream(join(tmpdir(), 'no', 'such', 'file'));
    const chunks = chunksOf(readable);
    await new Promise<void>((resolve) => readable.once('close', () => resolve()));
    await expect(chunks.next()).rejects.toThrow(expect.objectContaining({ code: 'ENOENT' }));
  });

  it('cancel a web stream when they are left early', async () => {
    const { stream, cancelled } = webStream();
    const chunks = chunksOf(stream);
    await chunks.next();
    expect(await chunks.return?.()).toEqual(ended);
    expect(cancelled()).toBe(1);
    expect(await chunks.next()).toEqual(ended);
  });

  it('end an iterator when they are left early', async () => {
    let closed = 0;
    const iterator = {
      next: async () => ({ done: false, value: Uint8Array.of(1) }),
      return: async () => {
        closed += 1;
        return ended;
      },
    };
    const chunks = chunksOf({ [Symbol.asyncIterator]: () => iterator });
    await chunks.next();
    await chunks.return?.();
    await chunks.return?.();
    expect(closed).toBe(1);
  });

  it('end a stream of which nothing was read', async () => {
    const { stream, cancelled } = webStream();
    await chunksOf(stream).return?.();
    expect(cancelled()).toBe(1);

    const readable = fileStream(countingBytes(5000));
    const closed = once(readable, 'close');
    await chunksOf(readable).return?.();
    expect(readable.destroyed).toBe(true);
    await closed;

    const generator = bytes([1], [2]);
    await chunksOf(generator).return?.();
    expect(await generator.next()).toEqual(ended);
  });
});
