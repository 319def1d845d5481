import { ReadableStream } from 'node:stream/web';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { TREE_BYTE } from '../../src/codec/node-tags.js';
import type { Encoded } from '../../src/model/encoded.js';
import { LIMITS } from '../../src/model/limits.js';
import type { StoredBlob } from '../../src/model/stored-blob.js';
import { countingBytes, LentBlob } from './stored-value.js';

const codec = new MsgpackrCodec();
type Generated = AsyncGenerator<Uint8Array, void>;
type Web = ReadableStream<Uint8Array>;

async function* source(): AsyncGenerator<Uint8Array> {
  yield Uint8Array.of(1);
}

/** What was encoded of a value with one stream, whose content is in a blob. */
function inBlob(value: unknown, blob: StoredBlob): Encoded {
  const { head, buffers, streams } = codec.encode(value, { streams: true });
  return { head, buffers, streams, blobs: new Map([[buffers.length, blob]]) };
}

/** What was encoded of a value with one stream, whose content is in memory. */
function inMemory(value: unknown, content: Uint8Array): Encoded {
  const { head, buffers, streams } = codec.encode(value, { streams: true });
  return { head, buffers: [...buffers.slice(0, -1), content], streams };
}

async function chunksOf(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array[]> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks;
}

const lengths = (chunks: readonly Uint8Array[]): number[] => chunks.map(({ byteLength }) => byteLength);
const joined = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

describe('a decoded stream', () => {
  it('is of the kind that was encoded, and stands where that stood', () => {
    const value = {
      log: source(),
      rows: new Float64Array(500),
      small: Uint8Array.of(7),
      web: new ReadableStream(),
    };
    const { head, buffers } = codec.encode(value, { streams: true });
    const arrived = codec.decode({ head, buffers }) as typeof value;
    expect(Object.prototype.toString.call(arrived.log)).toBe('[object AsyncGenerator]');
    expect(arrived.web).toBeInstanceOf(ReadableStream);
    expect({ rows: arrived.rows, small: arrived.small }).toEqual({ rows: value.rows, small: value.small });
  });

  it.each([
    ['an async generator', () => source()],
    ['a web stream', () => new ReadableStream()],
  ])('reads its blob only when it is read, and each chunk may be kept: %s', async (_, make) => {
    const blob = new LentBlob(countingBytes(2500), 1000);
    const arrived = codec.decode(inBlob([make()], blob)) as [AsyncIterable<Uint8Array>];
    expect(blob.counts.opened).toBe(0);
    const chunks = await chunksOf(arrived[0]);
    expect(lengths(chunks)).toEqual([1000, 1000, 500]);
    expect(joined(chunks)).toEqual(countingBytes(2500));
    expect(blob.counts).toEqual({ opened: 1, chunks: 3, closed: 1 });
  });

  it('of several has its own bytes', async () => {
    const { head, buffers, valueStreams } = codec.encode([source(), { b: source() }], { streams: true });
    const [first, second] = (valueStreams ?? []).map(({ part }) => part);
    const blobs = new Map([[first as number, new LentBlob(Uint8Array.of(1, 1), 9)]]);
    const parts = buffers.with((second as number) - 1, Uint8Array.of(2, 2));
    const [one, { b }] = codec.decode({ head, buffers: parts, blobs }) as [Generated, { b: Generated }];
    expect(joined(await chunksOf(b))).toEqual(Uint8Array.of(2, 2));
    expect(joined(await chunksOf(one))).toEqual(Uint8Array.of(1, 1));
  });

  it('fails with what the blob fails with', async () => {
    const fault = new Error('gone');
    const blob: StoredBlob = {
      digest: '0'.repeat(64),
      byteLength: 5,
      // oxlint-disable-next-line require-yield -- it fails before its first chunk
      async *chunks() {
        throw fault;
      },
    };
    const [generated] = codec.decode(inBlob([source()], blob)) as [Generated];
    await expect(generated.next()).rejects.toBe(fault);
    const [web] = codec.decode(inBlob([new ReadableStream()], blob)) as [Web];
    await expect(web.getReader().read()).rejects.toBe(fault);
  });

  it('may be encoded again, as a stream of the same kind', () => {
    const arrived = codec.decode(codec.encode([source(), new ReadableStream()], { streams: true }));
    const again = codec.encode(arrived, { streams: true });
    expect(again.head).toEqual(codec.encode([source(), new ReadableStream()], { streams: true }).head);
  });
});

describe('a decoded stream that is not read to its end', () => {
  it('ends the reading of its blob as a generator', async () => {
    const blob = new LentBlob(countingBytes(2500), 1000);
    const [stream] = codec.decode(inBlob([source()], blob)) as [Generated];
    await stream.next();
    expect(await stream.return()).toEqual({ done: true, value: undefined });
    expect(blob.counts).toEqual({ opened: 1, chunks: 1, closed: 1 });
  });

  it('opens no blob when nothing was read', async () => {
    const blob = new LentBlob(countingBytes(2500), 1000);
    const [stream] = codec.decode(inBlob([source()], blob)) as [Generated];
    await stream.return();
    const [web] = codec.decode(inBlob([new ReadableStream()], blob)) as [Web];
    await web.cancel();
    expect(blob.counts.opened).toBe(0);
  });

  it('is read no further than it was asked as a web stream, and ends the reading when it is cancelled', async () => {
    const blob = new LentBlob(countingBytes(2500), 1000);
    const [stream] = codec.decode(inBlob([new ReadableStream()], blob)) as [Web];
    const reader = stream.getReader();
    await reader.read();
    expect(blob.counts).toEqual({ opened: 1, chunks: 1, closed: 0 });
    await reader.cancel();
    expect(blob.counts).toEqual({ opened: 1, chunks: 1, closed: 1 });
  });

  it('ends a chunk under way when a web stream is cancelled', async () => {
    const blob: StoredBlob = {
      digest: '0'.repeat(64),
      byteLength: 5,
      async *chunks({ signal } = {}) {
        await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('ended'))));
        yield new Uint8Array(5);
      },
    };
    const [stream] = codec.decode(inBlob([new ReadableStream()], blob)) as [Web];
    const reader = stream.getReader();
    const pending = reader.read();
    await reader.cancel();
    expect(await pending).toEqual({ done: true, value: undefined });
  });
});

describe('a decoded stream in memory', () => {
  const content = countingBytes(2 * LIMITS.chunkBytes + 5);

  it('comes in chunks of the usual size', async () => {
    const [stream] = codec.decode(inMemory([source()], content)) as [Generated];
    const chunks = await chunksOf(stream);
    expect(lengths(chunks)).toEqual([LIMITS.chunkBytes, LIMITS.chunkBytes, 5]);
    expect(Buffer.compare(joined(chunks), content)).toBe(0);
  });

  it.each([
    ['an async generator', () => source()],
    ['a web stream', () => new ReadableStream()],
  ])('keeps its later chunks when the memory of one is transferred away: %s', async (_, make) => {
    const [stream] = codec.decode(inMemory([make()], content.slice())) as [AsyncIterable<Uint8Array>];
    const moved: Uint8Array[] = [];
    for await (const chunk of stream)
      moved.push(structuredClone(chunk, { transfer: [chunk.buffer as ArrayBuffer] }));
    expect(Buffer.compare(joined(moved), content)).toBe(0);
  });

  it('has no chunk when it is empty', async () => {
    const [stream] = codec.decode(codec.encode([source()], { streams: true })) as [Generated];
    expect(await chunksOf(stream)).toEqual([]);
  });

  it('comes in memory of its own, also when the buffer is shared memory', async () => {
    const shared = new Uint8Array(new SharedArrayBuffer(3));
    for (const [bytes, copy] of [
      [content, true],
      [shared, false],
    ] as const) {
      const [stream] = codec.decode(inMemory([source()], bytes), { copy }) as [Generated];
      for await (const chunk of stream) {
        expect(chunk.buffer).toBeInstanceOf(ArrayBuffer);
        expect(chunk.buffer).not.toBe(bytes.buffer);
      }
    }
  });
});

describe('shared memory', () => {
  it('is never seen in a value, nor by a text of it', () => {
    const value = [new Float64Array(500), new Uint8Array(2000).buffer, Uint8Array.of(1), 'x'.repeat(9000)];
    const { head, buffers } = codec.encode(value);
    const shared = [head, ...buffers].map((bytes) => {
      const copy = new Uint8Array(new SharedArrayBuffer(bytes.byteLength));
      copy.set(bytes);
      return copy;
    });
    const [sharedHead, ...sharedBuffers] = shared as [Uint8Array, ...Uint8Array[]];
    const arrived = codec.decode({ head: sharedHead, buffers: sharedBuffers }) as typeof value;
    for (const bytes of shared) bytes.fill(0);
    expect(arrived).toEqual(value);
    expect((arrived[0] as Float64Array).buffer).toBeInstanceOf(ArrayBuffer);
  });
});

describe('bytes with streams are refused', () => {
  const one = [new Uint8Array(8)];
  it.each<[string, unknown, Uint8Array[], number?]>([
    ['when a stream has a number out of range', ['\0k', 1, ['\0c', 'i', 1]], one],
    ['when a stream has a negative number', ['\0k', 1, ['\0c', 'i', -1]], one],
    ['when a stream has no number', ['\0k', 1, ['\0c', 'i']], one],
    ['when a stream has a part of a number', ['\0k', 1, ['\0c', 'i', 0.5]], one],
    ['when a stream is of another kind', ['\0k', 1, ['\0c', 'x', 0]], one],
    [
      'when a stream stands there twice',
      [
        '\0k',
        1,
        [
          ['\0c', 'i', 0],
          ['\0c', 'i', 0],
        ],
      ],
      one,
    ],
    [
      'when a stream is named again as a container',
      [
        '\0k',
        1,
        [
          ['\0c', 'i', 0],
          ['\0r', 1],
        ],
      ],
      one,
    ],
    ['when a stream stands nowhere', ['\0k', 1, [1]], one],
    ['when there are more streams than buffers', ['\0k', 2, ['\0c', 'i', 0]], one],
    ['when there is no number of streams', ['\0k', 'all', ['\0c', 'i', 0]], one],
    ['when there is a number of no streams', ['\0k', 0, []], []],
    ['when the root has more parts', ['\0k', 1, ['\0c', 'i', 0], 1], one],
    ['when no stream was announced', [['\0c', 'i', 0]], one],
    ['when streams are announced inside', [['\0k', 1, ['\0c', 'i', 0]]], one],
    ['when others were announced beside them', ['\0k', 1, ['\0c', 'i', 0]], one, 0],
    ['when some were announced beside them', [1], one, 1],
    [
      'when a value asks for the buffer of a stream',
      [
        '\0k',
        1,
        [
          ['\0v', 1],
          ['\0c', 'i', 0],
        ],
      ],
      one,
    ],
  ])('%s', (_, node, buffers, streams) => {
    const head = Buffer.concat([Buffer.of(TREE_BYTE), pack(node)]);
    expect(() => codec.decode({ head, buffers, streams })).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED' }),
    );
  });

  it('when a part of the value itself is not in memory', () => {
    const { head, buffers } = codec.encode([new Float64Array(500), source()], { streams: true });
    const blob = new LentBlob(new Uint8Array(4000), 1000);
    expect(() => codec.decode({ head, buffers, streams: 1, blobs: new Map([[1, blob]]) })).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED', message: expect.stringContaining('in memory') }),
    );
  });
});
