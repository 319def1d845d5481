import assert from 'node:assert/strict';
import type { Encoded } from '../model/encoded.js';
import { carried, countingBytes } from './codec-samples.js';
import type { CodecCase } from './codec-subject.js';

const VALUE = (): object => ({
  text: 'x'.repeat(2000),
  list: [-0, undefined, 5n],
  bytes: countingBytes(20_000),
});

/** The same bytes in memory of their own. */
function copyOf(
  { head, buffers }: Encoded,
  memory: (length: number) => Uint8Array = (length) => new Uint8Array(length),
): Encoded {
  const copy = (bytes: Uint8Array): Uint8Array => {
    const copied = memory(bytes.byteLength);
    copied.set(bytes);
    return copied;
  };
  return { head: copy(head), buffers: buffers.map(copy) };
}

export const ownershipCases: readonly CodecCase[] = [
  {
    id: 'codec/ownership/value-untouched',
    title: 'leaves a value as it was when it encodes it',
    promise: 'arguments-untouched',
    run: async ({ codec }) => {
      const value = VALUE();
      codec.encode(value);
      codec.digest(value);
      assert.deepEqual(value, VALUE());
    },
  },
  {
    id: 'codec/ownership/own-heads',
    title: 'gives heads that stay as they are when more is encoded',
    promise: 'own-value',
    run: async ({ codec }) => {
      const value = (at: number): object => ({ at, text: 'x'.repeat(at % 90) });
      const heads = Array.from({ length: 500 }, (_, at) => codec.encode(value(at)).head);
      for (const [at, head] of heads.entries()) {
        assert.deepEqual(codec.decode({ head, buffers: [] }), value(at));
      }
    },
  },
  {
    id: 'codec/ownership/bytes-untouched',
    title: 'leaves the bytes as they were when it decodes them',
    promise: 'arguments-untouched',
    run: async ({ codec }) => {
      const encoded = codec.encode(VALUE());
      const before = copyOf(encoded);
      codec.decode(encoded);
      codec.references(encoded);
      assert.deepEqual(Uint8Array.from(encoded.head), before.head);
      assert.deepEqual(
        encoded.buffers.map((bytes) => Uint8Array.from(bytes)),
        before.buffers,
      );
    },
  },
  {
    id: 'codec/ownership/copies-on-demand',
    title: 'gives a value memory of its own when it is asked to',
    promise: 'own-value',
    run: async ({ codec }) => {
      const encoded = copyOf(codec.encode(VALUE()));
      const arrived = codec.decode(encoded, { copy: true });
      for (const bytes of [encoded.head, ...encoded.buffers]) bytes.fill(0);
      assert.deepEqual(arrived, VALUE());
    },
  },
  {
    id: 'codec/ownership/decoded-again',
    title: 'decodes the same bytes any number of times, each time to a value of its own',
    promise: 'own-value',
    run: async ({ codec }) => {
      const encoded = codec.encode({ list: [1, { deep: [-0] }] });
      const first = codec.decode(encoded, { copy: true }) as { list: unknown[] };
      first.list.push('changed');
      assert.deepEqual(codec.decode(encoded, { copy: true }), { list: [1, { deep: [-0] }] });
    },
  },
  {
    id: 'codec/ownership/shared-memory',
    title: 'takes bytes in shared memory, and gives a value that others do not see or change',
    promise: 'own-value',
    run: async ({ codec }) => {
      const shared = copyOf(codec.encode(VALUE()), (length) => new Uint8Array(new SharedArrayBuffer(length)));
      const arrived = codec.decode(shared);
      for (const bytes of [shared.head, ...shared.buffers]) bytes.fill(0);
      assert.deepEqual(arrived, VALUE());
    },
  },
  {
    id: 'codec/ownership/encode-within-encode',
    title: 'may be asked for another value while it encodes one',
    promise: 'own-value',
    run: async ({ codec }) => {
      const value = {
        before: 'x'.repeat(100),
        get inner() {
          return Array.from(codec.encode(['inner', 'y'.repeat(20_000)]).head);
        },
        after: 'z'.repeat(100),
      };
      const arrived = carried(codec, value);
      assert.equal(arrived.before, value.before);
      assert.equal(arrived.after, value.after);
      const inner = codec.decode({ head: Uint8Array.from(arrived.inner), buffers: [] });
      assert.deepEqual(inner, ['inner', 'y'.repeat(20_000)]);
    },
  },
];
