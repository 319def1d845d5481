import assert from 'node:assert/strict';
import type { Encoded } from '../model/encoded.js';
import type { Codec } from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import { asReference, assertRefuses, countingBytes, streamOf, valueReference } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

const REFUSALS = new Set(['BYTES_MALFORMED', 'VALUE_TOO_DEEP', 'SERIALIZER_UNKNOWN']);
/** What lengths that are only declared may cost, in bytes. */
const DECLARED_BYTES = 256 * 1024 * 1024;

/** Values whose bytes are tampered with: between them they have everything that a codec writes. */
function samples(codec: Codec): Encoded[] {
  const shared = { a: 1 };
  const memory = countingBytes(64).buffer;
  const values: unknown[] = [
    [1, 'text', null, true, { a: 1.5 }],
    [
      undefined,
      -0,
      NaN,
      5n,
      'a\ud800',
      new Date(5),
      /a/g,
      new Map([[1, new Set([2])]]),
      new URL('https://a.b/'),
    ],
    [Object.assign(new TypeError('e'), { code: 1, stack: 's' }), Object(5), [, 1]], // oxlint-disable-line no-sparse-arrays -- holes are written in a way of their own
    [new Float64Array(3), new Float64Array(500), Buffer.from('b'), new DataView(memory)],
    { valueReference: valueReference(Uint8Array.of(0x6e)) },
    ...(codec.capabilities.references
      ? [[shared, shared, new Uint8Array(memory), new Uint16Array(memory)]]
      : []),
  ];
  return [
    ...values.map((value) => codec.encode(value)),
    codec.encode({ log: streamOf() }, { streams: true }),
  ];
}

/** Fails unless the bytes are decoded, or refused in one of the ways that are laid down. */
function assertBounded(codec: Codec, encoded: Encoded): void {
  for (const call of [
    () => codec.decode(encoded, { reference: asReference }),
    () => codec.references(encoded),
  ]) {
    try {
      call();
    } catch (error) {
      const { code } = error as { code?: string };
      assert.ok(code !== undefined && REFUSALS.has(code), `${String(error)}: it was refused as ${code}`);
    }
  }
  assert.equal(({} as { polluted?: unknown }).polluted, undefined, 'every object has a property now');
}

const withHead = ({ buffers, streams }: Encoded, head: Uint8Array): Encoded => ({ head, buffers, streams });

/** Numbers that are the same in each run. */
function* pseudoRandom(seed: number): Generator<number, never> {
  let state = seed;
  for (;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    yield state >>> 24;
  }
}

const bytesCases: readonly CodecCase[] = [
  {
    id: 'codec/hostile/nothing',
    title: 'refuses no bytes at all',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      assertRefuses(() => codec.decode({ head: new Uint8Array(0), buffers: [] }), 'BYTES_MALFORMED');
    },
  },
  {
    id: 'codec/hostile/truncated',
    title: 'refuses a head that is cut off, wherever',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const encoded of samples(codec)) {
        for (let length = 0; length < encoded.head.byteLength; length += 1) {
          const cut = withHead(encoded, encoded.head.slice(0, length));
          assertRefuses(() => codec.decode(cut, { reference: asReference }), 'BYTES_MALFORMED');
        }
      }
    },
  },
  {
    id: 'codec/hostile/trailing',
    title: 'refuses a head that goes on behind its value',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const encoded of samples(codec)) {
        for (const more of [[0], [0xc0], [0xff, 0xff]]) {
          const longer = withHead(encoded, Uint8Array.of(...encoded.head, ...more));
          assertRefuses(() => codec.decode(longer, { reference: asReference }), 'BYTES_MALFORMED');
        }
      }
    },
  },
  {
    id: 'codec/hostile/flipped-bits',
    title: 'decodes or refuses a head with any one bit flipped, and does nothing else',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const encoded of samples(codec)) {
        for (let bit = 0; bit < encoded.head.byteLength * 8; bit += 1) {
          const head = Uint8Array.from(encoded.head);
          head[bit >> 3] = (head[bit >> 3] ?? 0) ^ (1 << (bit & 7));
          assertBounded(codec, withHead(encoded, head));
        }
      }
    },
  },
  {
    id: 'codec/hostile/any-byte',
    title: 'decodes or refuses a head with any one byte changed to any other, and does nothing else',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const encoded of samples(codec)) {
        for (let at = 0; at < encoded.head.byteLength; at += 1) {
          for (const byte of [0x00, 0x7f, 0x80, 0x91, 0xc1, 0xc4, 0xdd, 0xdf, 0xff]) {
            const head = Uint8Array.from(encoded.head);
            head[at] = byte;
            assertBounded(codec, withHead(encoded, head));
          }
        }
      }
    },
  },
  {
    id: 'codec/hostile/random',
    title: 'decodes or refuses bytes at random, and does nothing else',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      const bytes = pseudoRandom(1);
      for (let round = 0; round < 5000; round += 1) {
        const head = Uint8Array.from({ length: 1 + (round % 60) }, () => bytes.next().value);
        assertBounded(codec, { head, buffers: [] });
      }
    },
  },
  {
    id: 'codec/hostile/deep',
    title: 'refuses bytes that nest without an end, without running out of stack',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      // The bytes of a few nested values, the part that repeats repeated a hundred thousand times.
      for (const wrap of [(inner: unknown) => [inner], (inner: unknown) => new Map([[inner, -0]])]) {
        const [one, two] = [wrap(wrap(1)), wrap(wrap(wrap(1)))].map((value) => codec.encode(value).head);
        assert.ok(one && two);
        let from = 0;
        while (from < one.byteLength && one[from] === two[from]) from += 1;
        const piece = two.subarray(from, from + two.byteLength - one.byteLength);
        const pieces = Array.from({ length: 100_000 }, () => piece);
        const head = Uint8Array.from(Buffer.concat([one.subarray(0, from), ...pieces, one.subarray(from)]));
        assertBounded(codec, { head, buffers: [] });
      }
    },
  },
  {
    id: 'codec/hostile/declared-lengths',
    title: 'takes no memory for a length that is only declared',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      const before = process.memoryUsage();
      for (const encoded of samples(codec)) {
        for (let at = 0; at < encoded.head.byteLength; at += 1) {
          for (const most of [0x7f, 0xff, 0x0f]) {
            const head = Uint8Array.from(encoded.head);
            head.set([most, 0xff, 0xff, 0xff].slice(0, head.byteLength - at), at);
            assertBounded(codec, withHead(encoded, head));
            const { arrayBuffers, heapUsed } = process.memoryUsage();
            const more = arrayBuffers - before.arrayBuffers + (heapUsed - before.heapUsed);
            assert.ok(more < DECLARED_BYTES, `${more} bytes more are in use`);
          }
        }
      }
    },
  },
];

const partCases: readonly CodecCase[] = [
  {
    id: 'codec/hostile/lost-buffers',
    title: 'refuses bytes that lack a buffer, or have one too many',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const { head, buffers, streams } of samples(codec)) {
        const wrong = [[...buffers, new Uint8Array(8)], ...(buffers.length > 0 ? [buffers.slice(1)] : [])];
        for (const others of wrong) {
          const encoded = { head, buffers: others, streams };
          assertRefuses(() => codec.decode(encoded, { reference: asReference }), 'BYTES_MALFORMED');
        }
      }
    },
  },
  {
    id: 'codec/hostile/torn-buffers',
    title: 'decodes or refuses bytes with buffers of another length, and does nothing else',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      for (const { head, buffers, streams } of samples(codec)) {
        for (const [at, bytes] of buffers.entries()) {
          for (const length of [0, 1, bytes.byteLength + 1, bytes.byteLength + 9]) {
            assertBounded(codec, { head, buffers: buffers.with(at, new Uint8Array(length)), streams });
          }
        }
      }
    },
  },
  {
    id: 'codec/hostile/streams-miscounted',
    title: 'refuses bytes that come with another number of streams than the value has',
    promise: 'hostile-input-refused',
    run: async ({ codec }) => {
      const { head, buffers } = codec.encode([streamOf(), new Float64Array(500)], { streams: true });
      for (const streams of [0, 2, 3, -1, 0.5]) {
        assertRefuses(() => codec.decode({ head, buffers, streams }), 'BYTES_MALFORMED');
      }
    },
  },
  {
    id: 'codec/hostile/unknown-serializers',
    title: 'refuses an instance whose serializer it does not have, and names that',
    promise: 'serializers-matched',
    run: async ({ codec, create }) => {
      const encoded = create([anything]).encode([new Thing()]);
      const message = assertRefuses(() => codec.decode(encoded), 'SERIALIZER_UNKNOWN');
      assert.ok(message.includes(anything.key), message);
    },
  },
];

class Thing {}

const anything: Serializer<Thing, null> = {
  key: 'compliance/Thing',
  claims: (value): value is Thing => value instanceof Thing,
  serialize: () => null,
  deserialize: () => new Thing(),
};

export const hostileCases: readonly CodecCase[] = [...bytesCases, ...partCases];
