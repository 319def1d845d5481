import assert from 'node:assert/strict';
import { LIMITS } from '../model/limits.js';
import type { DirectiveHeader } from '../ports/transport.js';
import { patternAt } from './byte-pattern.js';
import { assertBody, bodyIn, chunked, hear, inMemory, StreamedBody } from './sample-bodies.js';
import { needsBodiesOf, type TransportCase, type TransportGiven } from './transport-subject.js';

const promise = 'connection-bytes';
const KIB = 1024;
const MIB = 1024 * KIB;

const EVERY_KIND: DirectiveHeader = {
  ...{ nil: null, yes: true, no: false, zero: 0, one: 1, minus: -1, byte: 255, short: -32_768 },
  ...{ long: 4_294_967_295, longer: 1_700_000_000_123, fraction: 0.1, huge: 1e300, tiny: -5e-324 },
  ...{
    empty: '',
    text: 'ä 漢 🎈 \u0000 "quoted"',
    list: [],
    map: {},
    nested: [[{ deep: [1, 'two', null] }]],
  },
};

/** Sends a body of each size, in memory or streamed, and compares what arrives. */
async function carrySizes(
  { connected }: TransportGiven,
  sizes: readonly number[],
  kinds: readonly ('memory' | 'stream')[] = ['memory', 'stream'],
): Promise<void> {
  const { here, there } = await connected();
  const toThere = hear(there);
  for (const size of sizes) {
    for (const kind of kinds) {
      const seed = size + kind.length;
      const body = kind === 'memory' ? inMemory([size], seed) : new StreamedBody(size, { seed });
      here.send({ header: { size, kind }, body });
      const envelope = await toThere.next();
      assert.deepEqual(envelope.header, { size, kind });
      await assertBody(envelope, size, seed);
    }
  }
}

/** One less, as many, and one more. */
function around(...sizes: readonly number[]): number[] {
  return sizes.flatMap((size) => [size - 1, size, size + 1]);
}

/** Envelopes and bodies, byte for byte. */
export const framingCases: readonly TransportCase[] = [
  {
    id: 'transport/framing/header-of-every-kind',
    title: 'carries every kind of value that a header may have',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: EVERY_KIND });
      assert.deepEqual((await hear(there).next()).header, EVERY_KIND);
    },
  },
  {
    id: 'transport/framing/header-of-most-bytes',
    title: 'carries a header of nearly a mebibyte, beside small ones',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const text = 'é'.repeat((LIMITS.controlFrameBytes - 1_000) / 2);
      const headers = [{ n: 0 }, { n: 1, text }, { n: 2 }];
      for (const header of headers) here.send({ header });
      for (const header of headers) assert.deepEqual((await toThere.next()).header, header);
    },
  },
  {
    id: 'transport/framing/no-body',
    title: 'gives an envelope without a body none',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: {} });
      assert.equal((await hear(there).next()).body, undefined);
    },
  },
  {
    id: 'transport/framing/empty-body',
    title: 'carries a body of no bytes as a body, in memory and streamed',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      here.send({ header: { n: 0 }, body: inMemory([0]) });
      here.send({ header: { n: 1 }, body: new StreamedBody(0) });
      for (let n = 0; n < 2; n += 1) {
        const envelope = await toThere.next();
        assert.deepEqual(bodyIn(envelope).sizes, [0]);
        await assertBody(envelope, 0);
      }
    },
  },
  {
    id: 'transport/framing/parts-of-body',
    title: 'tells the sizes of all parts of a body, empty ones included',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      for (const sizes of [
        [0, 5, 0, 0, 70_000, 1, 0],
        [3, 0],
        [0, 0, 0],
        [1, LIMITS.inlineBodyBytes, 0, 2],
      ]) {
        here.send({ header: {}, body: inMemory(sizes, 3) });
        const envelope = await toThere.next();
        assert.deepEqual(bodyIn(envelope).sizes, sizes);
        await assertBody(
          envelope,
          sizes.reduce((sum, size) => sum + size, 0),
          3,
        );
      }
    },
  },
  {
    id: 'transport/framing/many-parts',
    title: 'carries a body of ten thousand small parts',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const sizes = Array.from({ length: 10_000 }, (_, index) => index % 7);
      here.send({ header: {}, body: inMemory(sizes) });
      const envelope = await hear(there).next();
      assert.deepEqual(bodyIn(envelope).sizes, sizes);
      await assertBody(
        envelope,
        sizes.reduce((sum, size) => sum + size, 0),
      );
    },
  },
  {
    id: 'transport/framing/smallest-bodies',
    title: 'carries bodies around the lengths that fit into one byte of a length',
    promise,
    run: (given) => carrySizes(given, [1, 2, 3, ...around(125, 127, 255)]),
  },
  {
    id: 'transport/framing/around-64-kib',
    title: 'carries bodies around the lengths that fit into two bytes of a length',
    promise,
    run: (given) => carrySizes(given, around(16_384, 32_768, 65_536)),
  },
  {
    id: 'transport/framing/around-largest-message',
    title: 'carries bodies around the longest message, and around what is left of it beside a header',
    promise,
    run: (given) =>
      carrySizes(given, [
        ...around(LIMITS.chunkBytes, 2 * LIMITS.chunkBytes),
        ...Array.from({ length: 40 }, (_, index) => LIMITS.chunkBytes - 2 - 3 * index),
      ]),
  },
  {
    id: 'transport/framing/around-window-of-body',
    title: 'carries bodies around what may be under way of one body',
    promise,
    needs: needsBodiesOf(2 * LIMITS.streamWindowBytes),
    run: (given) =>
      carrySizes(
        given,
        around(LIMITS.streamWindowBytes, LIMITS.streamWindowBytes + LIMITS.initialWindowBytes),
      ),
  },
  {
    id: 'transport/framing/around-window-of-connection',
    title: 'carries bodies around what may be under way on one connection',
    promise,
    needs: needsBodiesOf(LIMITS.connectionWindowBytes + 1),
    run: (given) =>
      carrySizes(given, around(LIMITS.connectionWindowBytes / 2, LIMITS.connectionWindowBytes), ['stream']),
  },
  {
    id: 'transport/framing/chunks-of-one-byte',
    title: 'carries a body that comes a byte at a time',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      here.send({ header: {}, body: new StreamedBody(20_000, { chunkBytes: 1 }) });
      await assertBody(await hear(there).next(), 20_000);
    },
  },
  {
    id: 'transport/framing/chunks-of-any-length',
    title: 'carries a body whose chunks have every length, none included',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const lengths = Array.from({ length: 600 }, (_, index) =>
        index % 3 === 0 ? 0 : (index * index) % 70_001,
      );
      const total = lengths.reduce((sum, length) => sum + length, 0);
      const body = chunked(total, async function* () {
        let at = 0;
        for (const length of lengths) {
          yield patternAt(at, length);
          at += length;
        }
      });
      here.send({ header: {}, body });
      await assertBody(await hear(there).next(), total);
    },
  },
  {
    id: 'transport/framing/large-chunks',
    title: 'carries a body whose chunks are longer than any window',
    promise,
    needs: needsBodiesOf(20 * MIB + 3),
    async run({ connected }) {
      const { here, there } = await connected();
      const size = 20 * MIB + 3;
      const { parts: [chunk = new Uint8Array(0)] = [] } = inMemory([size]);
      here.send({
        header: {},
        body: chunked(size, async function* () {
          yield chunk;
        }),
      });
      await assertBody(await hear(there).next(), size);
    },
  },
  {
    id: 'transport/framing/32-mib-in-memory',
    title: 'carries 32 MiB that are in memory',
    promise,
    needs: needsBodiesOf(32 * MIB + 1),
    run: (given) => carrySizes(given, [32 * MIB + 1], ['memory']),
  },
  {
    id: 'transport/framing/256-mib',
    title: 'carries 256 MiB, byte for byte',
    promise,
    needs: needsBodiesOf(256 * MIB),
    run: (given) => carrySizes(given, [256 * MIB], ['stream']),
  },
  {
    id: 'transport/framing/lent-chunks',
    title: 'has sent a chunk by the time it asks for the next, whose memory may be the same',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const memory = new Uint8Array(48 * KIB);
      const total = 200 * memory.byteLength;
      const body = chunked(total, async function* () {
        for (let at = 0; at < total; at += memory.byteLength) {
          memory.set(patternAt(at, memory.byteLength));
          yield memory;
        }
      });
      here.send({ header: {}, body });
      await assertBody(await hear(there).next(), total);
    },
  },
  {
    id: 'transport/framing/leaves-bodies-as-they-are',
    title: 'changes nothing in the bytes that it is given, nor takes their memory away',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const memories = [100, 100_000, 3_000_000].map((size) => inMemory([size]).parts?.[0]?.slice());
      for (const memory of memories) {
        const bytes = memory ?? new Uint8Array(0);
        const size = bytes.byteLength;
        here.send({
          header: {},
          body: { byteLength: size, sizes: [size], parts: [bytes], chunks: oneChunk(bytes) },
        });
        await assertBody(await toThere.next(), size);
        assert.equal(bytes.byteLength, size, 'its memory was transferred away');
        assert.ok(Buffer.from(bytes).equals(inMemory([size]).parts?.[0] ?? bytes), 'the bytes were changed');
      }
    },
  },
  {
    id: 'transport/framing/each-with-its-own-body',
    title: 'gives each of many envelopes its own body, of whatever length',
    promise,
    async run({ connected }) {
      const { here, there } = await connected();
      const toThere = hear(there);
      const size = (n: number): number => (n * n * 997) % 400_000;
      for (let n = 0; n < 100; n += 1)
        here.send({
          header: { n },
          ...(n % 4 > 0 && { body: n % 2 ? inMemory([size(n)], n) : new StreamedBody(size(n), { seed: n }) }),
        });
      for (let n = 0; n < 100; n += 1) {
        const envelope = await toThere.next();
        assert.equal(envelope.header['n'], n);
        if (n % 4 > 0) await assertBody(envelope, size(n), n);
        else assert.equal(envelope.body, undefined);
      }
    },
  },
];

function oneChunk(bytes: Uint8Array): () => AsyncGenerator<Uint8Array> {
  return async function* () {
    yield bytes;
  };
}
