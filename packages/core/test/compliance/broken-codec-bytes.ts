import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import type { Codec, EncodedValue } from '../../src/ports/codec.ts';
import type { BrokenCodec, CodecBreakage } from './broken-codecs.ts';

const held: ArrayBuffer[] = [];

/** A codec that refuses in a way of its own. */
const refusing =
  (
    change: (
      error: RoutineEngineError,
      again: (head: Uint8Array, buffers: readonly Uint8Array[]) => unknown,
      ...args: Parameters<Codec['decode']>
    ) => unknown,
  ): CodecBreakage =>
  (sound) => ({
    decode(encoded, options) {
      try {
        return sound.decode(encoded, options);
      } catch (error) {
        const again = (head: Uint8Array, buffers: readonly Uint8Array[]): unknown =>
          sound.decode({ ...encoded, head, buffers }, options);
        return change(error as RoutineEngineError, again, encoded, options);
      }
    },
  });

/** What is wrong with how hostile bytes are taken, the cases that find it, and how. */
export const BROKEN_BYTES: readonly BrokenCodec[] = [
  [
    'throws what comes up',
    [
      'codec/references/unwanted-refs',
      'codec/hostile/nothing',
      'codec/hostile/truncated',
      'codec/hostile/trailing',
      'codec/hostile/flipped-bits',
      'codec/hostile/any-byte',
      'codec/hostile/random',
      'codec/hostile/deep',
      'codec/hostile/declared-lengths',
      'codec/hostile/lost-buffers',
      'codec/hostile/torn-buffers',
      'codec/hostile/streams-miscounted',
    ],
    refusing((error) => {
      throw error.code === 'BYTES_MALFORMED' ? new TypeError(error.message) : error;
    }),
  ],
  [
    'does not look behind a value',
    ['codec/hostile/trailing'],
    refusing((error, again, { head, buffers }) => {
      for (const more of [1, 2]) {
        try {
          return again(head.subarray(0, head.byteLength - more), buffers);
        } catch (other) {
          if (more === 2) throw error.code === undefined ? (other as Error) : error;
        }
      }
      throw error;
    }),
  ],
  [
    'does not look for buffers that nobody asks for',
    ['codec/hostile/lost-buffers'],
    refusing((error, again, { head, buffers }) => {
      if (buffers.length === 0) throw error;
      return again(head, buffers.slice(0, -1));
    }),
  ],
  [
    'takes memory for a length that is declared',
    ['codec/hostile/declared-lengths'],
    refusing((error, _, { head }) => {
      if (Buffer.from(head).includes('ffffff', 'hex')) held.push(new ArrayBuffer(2 ** 29));
      throw error;
    }),
  ],
  [
    'takes an unknown serializer for malformed bytes',
    ['codec/hostile/unknown-serializers'],
    refusing((error) => {
      throw error.code === 'SERIALIZER_UNKNOWN'
        ? new RoutineEngineError('BYTES_MALFORMED', error.message)
        : error;
    }),
  ],
];

/** A codec whose streams are read in a way of its own. */
const streaming =
  (change: (chunks: AsyncIterable<Uint8Array>) => AsyncIterable<Uint8Array>): CodecBreakage =>
  (sound) => ({
    encode(...args): EncodedValue {
      const encoded = sound.encode(...args);
      if (!encoded.valueStreams) return encoded;
      const valueStreams = encoded.valueStreams.map((stream) => ({
        ...stream,
        chunks: change(stream.chunks),
      }));
      return { ...encoded, valueStreams };
    },
  });

/** What is wrong with streams, the cases that find it, and how. */
export const BROKEN_STREAMS: readonly BrokenCodec[] = [
  [
    'begins to read streams at once',
    ['codec/streams/not-read-early'],
    streaming((chunks) => {
      const iterator = chunks[Symbol.asyncIterator]();
      const first = iterator.next();
      first.catch(() => undefined);
      return (async function* () {
        try {
          for (let next = await first; !next.done; next = await iterator.next()) yield next.value;
        } finally {
          await iterator.return?.();
        }
      })();
    }),
  ],
  [
    'does not end streams that are left',
    ['codec/streams/left-early'],
    streaming((chunks) => {
      const iterator = chunks[Symbol.asyncIterator]();
      return { [Symbol.asyncIterator]: () => ({ next: () => iterator.next() }) };
    }),
  ],
  [
    'wraps what a stream fails with',
    ['codec/streams/failing', 'codec/streams/foreign-chunks'],
    streaming(async function* (chunks) {
      try {
        yield* chunks;
      } catch (error) {
        throw new Error('the stream failed', { cause: error });
      }
    }),
  ],
  [
    'names streams without their value',
    ['codec/streams/encoded'],
    (sound) => ({
      encode(value, options) {
        const encoded = sound.encode(value, options);
        const valueStreams = encoded.valueStreams?.map((stream) => ({
          ...stream,
          path: stream.path.replace('result', 'value'),
        }));
        return valueStreams ? { ...encoded, valueStreams } : encoded;
      },
    }),
  ],
];
