import assert from 'node:assert/strict';
import { ReadableStream } from 'node:stream/web';
import type { Codec, ValueStream } from '../ports/codec.js';
import { assertRefuses, bytesIn, countingBytes, sha256, streamOf, valueReference } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

const CONTENT = countingBytes(300_000);
const KINDS: readonly (readonly [kind: string, make: () => object])[] = [
  ['an async iterable', () => streamOf(CONTENT.subarray(0, 1), CONTENT.subarray(1))],
  ['a web stream', () => new Blob([Uint8Array.from(CONTENT)]).stream() as object],
];

function encodeOne(codec: Codec, value: unknown): ValueStream {
  const { valueStreams = [] } = codec.encode(value, { streams: true, path: 'result' });
  assert.equal(valueStreams.length, 1, 'number of streams');
  return valueStreams[0] as ValueStream;
}

/** What arrives of a value with one stream whose content is in memory. */
function arrivedWith(codec: Codec, value: unknown, content: Uint8Array): unknown {
  const { head, buffers, streams } = codec.encode(value, { streams: true });
  return codec.decode({ head, buffers: [...buffers.slice(0, -1), content], streams });
}

export const streamCases: readonly CodecCase[] = [
  {
    id: 'codec/streams/encoded',
    title: 'gives the streams in a value, with where they stand, as empty last buffers',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      const [log, more] = [streamOf(), streamOf()];
      const encoded = codec.encode(
        { log, table: new Float64Array(500), list: [more] },
        { streams: true, path: 'result' },
      );
      assert.equal(encoded.streams, 2);
      const streams = encoded.valueStreams ?? [];
      assert.deepEqual(
        streams.map(({ path }) => path),
        ['result.log', 'result.list[0]'],
      );
      assert.deepEqual(
        streams.map(({ value }) => value === log || value === more),
        [true, true],
      );
      const count = encoded.buffers.length;
      assert.deepEqual(new Set(streams.map(({ part }) => part)), new Set([count, count - 1]));
      for (const { part } of streams) assert.equal(encoded.buffers[part - 1]?.byteLength, 0);
    },
  },
  {
    id: 'codec/streams/bytes',
    title: 'gives the bytes of a stream, whatever kind it is',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      for (const [kind, make] of KINDS) {
        const { chunks } = encodeOne(codec, [make()]);
        assert.equal(Buffer.compare(await bytesIn(chunks), CONTENT), 0, kind);
      }
    },
  },
  {
    id: 'codec/streams/not-read-early',
    title: 'reads nothing of a stream before its chunks are asked for',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      let asked = 0;
      const iterator = { next: async () => ((asked += 1), { done: true as const, value: undefined }) };
      const { chunks } = encodeOne(codec, [{ [Symbol.asyncIterator]: () => iterator }]);
      assert.equal(asked, 0);
      assert.equal((await bytesIn(chunks)).byteLength, 0);
      assert.equal(asked, 1);
    },
  },
  {
    id: 'codec/streams/left-early',
    title: 'ends a stream whose chunks are left early',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      let ended = 0;
      const stream = new ReadableStream({
        pull: (controller) => controller.enqueue(Uint8Array.of(1)),
        cancel: () => void (ended += 1),
      });
      for await (const chunk of encodeOne(codec, [stream]).chunks) {
        assert.equal(chunk[0], 1);
        break;
      }
      assert.equal(ended, 1);
    },
  },
  {
    id: 'codec/streams/failing',
    title: 'passes on what a stream fails with, unchanged',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      const fault = new Error('the disk is full');
      const failing = (async function* () {
        yield Uint8Array.of(1);
        throw fault;
      })();
      await assert.rejects(bytesIn(encodeOne(codec, [failing]).chunks), (error) => error === fault);
    },
  },
  {
    id: 'codec/streams/foreign-chunks',
    title: 'refuses a chunk that is no Uint8Array with the path of its stream, and ends it',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      let ended = false;
      const stream = (async function* () {
        try {
          yield 'text' as unknown as Uint8Array;
        } finally {
          ended = true;
        }
      })();
      await assert.rejects(
        bytesIn(encodeOne(codec, { log: stream }).chunks),
        (error: Error & { code?: string }) => {
          assert.equal(error.code, 'VALUE_NOT_ENCODABLE');
          assert.ok(error.message.includes('result.log'), error.message);
          return true;
        },
      );
      assert.equal(ended, true);
    },
  },
  {
    id: 'codec/streams/unwanted',
    title: 'refuses streams where none may be, and one that stands in a value twice',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      for (const [, make] of KINDS) {
        const message = assertRefuses(() => codec.encode([make()], { path: 'args' }), 'VALUE_NOT_ENCODABLE');
        assert.ok(message.startsWith('args[0]'), message);
        assertRefuses(() => codec.digest([make()]), 'VALUE_NOT_ENCODABLE');
      }
      const twice = streamOf(CONTENT);
      assertRefuses(() => codec.encode([twice, { b: twice }], { streams: true }), 'VALUE_NOT_ENCODABLE');
    },
  },
  {
    id: 'codec/streams/arrived',
    title: 'gives a stream of the kind that was sent, where it stood, with its bytes',
    promise: 'streams-as-results',
    run: async ({ codec }) => {
      for (const [kind, make] of KINDS) {
        const { log, n } = arrivedWith(codec, { n: -0, log: make() }, CONTENT) as { log: object; n: number };
        assert.equal(n, -0);
        assert.equal(log instanceof ReadableStream, make() instanceof ReadableStream, kind);
        assert.equal(Buffer.compare(await bytesIn(log as AsyncIterable<Uint8Array>), CONTENT), 0, kind);
      }
    },
  },
  {
    id: 'codec/streams/from-blobs',
    title: 'reads a stream that lies elsewhere only as it is read itself',
    promise: 'values-streamed',
    run: async ({ codec }) => {
      const { head, buffers, streams } = codec.encode([streamOf()], { streams: true });
      let opened = 0;
      const blob = {
        digest: sha256(CONTENT),
        byteLength: CONTENT.byteLength,
        async *chunks() {
          opened += 1;
          yield CONTENT.slice();
        },
      };
      const arrived = codec.decode({ head, buffers, streams, blobs: new Map([[buffers.length, blob]]) });
      const [stream] = arrived as [AsyncIterable<Uint8Array>];
      assert.equal(opened, 0, 'it was read as it was decoded');
      assert.equal(Buffer.compare(await bytesIn(stream), CONTENT), 0);
      assert.equal(opened, 1);
    },
  },
  {
    id: 'codec/streams/nodes',
    title: 'digests a stream by its content, once that is known',
    promise: 'digest-defined',
    run: async ({ codec }) => {
      const nodeOf = (content: Uint8Array): Uint8Array => {
        const stream = streamOf();
        const known = { digest: sha256(content), byteLength: content.byteLength };
        return codec.digestNode([stream], { streams: new Map([[stream, known]]) });
      };
      const [one, same, other] = [CONTENT, CONTENT.slice(), CONTENT.subarray(1)].map((content) =>
        codec.digest(valueReference(nodeOf(content))),
      );
      assert.equal(one, same);
      assert.notEqual(one, other);
      assertRefuses(() => codec.digestNode([streamOf()]), 'VALUE_NOT_ENCODABLE');
    },
  },
];
