import assert from 'node:assert/strict';
import { encodedBytes } from '../model/encoded.js';
import { assertCarried, carried, countingBytes } from './codec-samples.js';
import { type CodecCase, needsOutOfBand, needsReferences } from './codec-subject.js';

const CLASSES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
];
const memory = (): ArrayBuffer => countingBytes(48).buffer as ArrayBuffer;

export const binaryCases: readonly CodecCase[] = [
  {
    id: 'codec/binary/typed-arrays',
    title: 'carries typed arrays of every class, small and large',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      for (const Class of CLASSES) {
        assertCarried(codec, [new Class(memory()), new Class(5000)]);
        assertCarried(codec, new Class(memory(), 8, 2));
      }
    },
  },
  {
    id: 'codec/binary/empty',
    title: 'carries empty binary values as such',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      assertCarried(codec, [new ArrayBuffer(0), Buffer.alloc(0), new DataView(new ArrayBuffer(0))]);
      for (const Class of CLASSES) assertCarried(codec, { empty: new Class(0) });
    },
  },
  {
    id: 'codec/binary/array-buffers',
    title: 'carries an ArrayBuffer and a DataView with their length',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      assertCarried(codec, [memory(), new ArrayBuffer(70_000)]);
      const view = carried(codec, new DataView(memory(), 3, 10));
      assert.ok(view instanceof DataView, 'it is no DataView');
      assert.equal(view.byteLength, 10);
      assert.equal(view.getUint8(9), 12);
    },
  },
  {
    id: 'codec/binary/buffers',
    title: 'carries a Buffer as a Buffer',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      for (const buffer of [Buffer.from('hello'), Buffer.alloc(3000, 7)]) {
        const arrived = carried(codec, { buffer }).buffer;
        assert.ok(Buffer.isBuffer(arrived), 'it is no Buffer');
        assert.equal(Buffer.compare(arrived, buffer), 0);
      }
    },
  },
  {
    id: 'codec/binary/large',
    title: 'carries 8 MiB byte by byte',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const bytes = countingBytes(8 * 1024 * 1024);
      const { a } = carried(codec, { a: [bytes] });
      assert.equal(Buffer.compare(a[0] as Uint8Array, bytes), 0);
    },
  },
  {
    id: 'codec/binary/beside-the-head',
    title: 'gives large binary parts beside the head, as views of the memory of the value',
    promise: 'values-streamed',
    needs: needsOutOfBand,
    run: async ({ codec }) => {
      const [one, two] = [new Float64Array(10_000), new Uint8Array(10_000)];
      const { head, buffers } = codec.encode({ one, inner: [two] });
      assert.ok(head.byteLength < 1000, `the head has ${head.byteLength} bytes`);
      assert.deepEqual(new Set(buffers.map(({ buffer }) => buffer)), new Set([one.buffer, two.buffer]));
    },
  },
  {
    id: 'codec/binary/no-more-than-shown',
    title: 'sends no byte that a view does not show',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const encoded = codec.encode(new Uint8Array(new ArrayBuffer(1_000_000), 500, 5000));
      assert.ok(encodedBytes(encoded) < 10_000, `${encodedBytes(encoded)} bytes go`);
      const secret = Buffer.from('the password is swordfish');
      const { head, buffers } = codec.encode([
        Buffer.from('public'),
        secret.subarray(0, 3),
        Buffer.from('also'),
      ]);
      assert.ok(!Buffer.concat([head, ...buffers]).includes('swordfish'), 'what lies between them goes, too');
    },
  },
  {
    id: 'codec/binary/shared-memory',
    title: 'carries views of one ArrayBuffer as views of one',
    promise: 'equal-or-refused',
    needs: needsReferences,
    run: async ({ codec }) => {
      const all = new ArrayBuffer(64);
      const value = { bytes: new Uint8Array(all, 8, 8), floats: new Float32Array(all, 8, 4), all };
      const arrived = carried(codec, value);
      assert.equal(arrived.bytes.buffer, arrived.all);
      arrived.floats[0] = 1.5;
      assert.equal(arrived.bytes[2], 0xc0, 'the bytes do not see what the floats wrote');
    },
  },
  {
    id: 'codec/binary/any-alignment',
    title: 'decodes from memory at any offset',
    promise: 'equal-or-refused',
    run: async ({ codec }) => {
      const value = {
        floats: Float64Array.from({ length: 1000 }, (_, at) => at / 3),
        text: 'x'.repeat(5000),
      };
      const { head, buffers } = codec.encode(value);
      for (const by of [1, 3, 4]) {
        const moved = [head, ...buffers].map((bytes) => {
          const around = new Uint8Array(bytes.byteLength + by + 5).fill(0xee);
          around.set(bytes, by);
          return around.subarray(by, by + bytes.byteLength);
        });
        const [movedHead = head, ...movedBuffers] = moved;
        assert.deepEqual(codec.decode({ head: movedHead, buffers: movedBuffers }), value);
      }
    },
  },
  {
    id: 'codec/binary/content-part',
    title: 'says which part is all of a value that is bytes, and of no other value',
    promise: 'values-streamed',
    needs: needsOutOfBand,
    run: async ({ codec }) => {
      for (const value of [new Float64Array(2000), Buffer.alloc(9000, 1), new ArrayBuffer(9000)]) {
        const encoded = codec.encode(value);
        const part = codec.contentPart(encoded);
        assert.ok(part !== undefined && part > 0, `it says ${part}`);
        assert.equal(encoded.buffers[part - 1]?.byteLength, value.byteLength);
      }
      for (const value of [1, 'text', [new Uint8Array(9000)], { a: 1 }]) {
        assert.equal(codec.contentPart(codec.encode(value)), undefined);
      }
    },
  },
];
