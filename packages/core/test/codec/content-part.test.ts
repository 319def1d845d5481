import { ReadableStream } from 'node:stream/web';
import { pack } from 'msgpackr';
import { describe, expect, it } from 'vitest';
import { MsgpackrCodec } from '../../src/codec/msgpackr-codec.js';
import { TREE_BYTE } from '../../src/codec/node-tags.js';
import { countingBytes, LentBlob, referenceTo } from './stored-value.js';

const codec = new MsgpackrCodec();
const memory = countingBytes(5000).buffer;

describe('the part that is all of the content', () => {
  it.each<[string, object]>([
    ['a small typed array', Uint16Array.of(1, 2)],
    ['an empty typed array', new Uint8Array(0)],
    ['a large typed array', new Float64Array(500)],
    ['part of larger memory', new Uint8Array(memory, 3, 4000)],
    ['a Buffer', Buffer.from('text')],
    ['an ArrayBuffer', memory],
    ['a DataView', new DataView(memory, 1, 2000)],
  ])('has the bytes of %s', (_, value) => {
    const encoded = codec.encode(value);
    const part = codec.contentPart(encoded) as number;
    const view = ArrayBuffer.isView(value) ? value : new Uint8Array(value as ArrayBuffer);
    expect(Buffer.from(encoded.buffers[part - 1] as Uint8Array)).toEqual(
      Buffer.from(view.buffer, view.byteOffset, view.byteLength),
    );
  });

  it('is that of a stream, in memory or not', () => {
    for (const stream of [(async function* () {})(), new ReadableStream()]) {
      const { head, buffers, valueStreams } = codec.encode(stream, { streams: true });
      expect(valueStreams?.[0]?.part).toBe(1);
      expect(codec.contentPart({ head, buffers })).toBe(1);
      const blobs = new Map([[1, new LentBlob(countingBytes(9), 5)]]);
      expect(codec.contentPart({ head, buffers, streams: 1, blobs })).toBe(1);
    }
  });

  it('is that of bytes that are not in memory', () => {
    const { head } = codec.encode(new Float64Array(500));
    const blobs = new Map([[1, new LentBlob(new Uint8Array(4000), 1000)]]);
    expect(codec.contentPart({ head, buffers: [new Uint8Array(0)], blobs })).toBe(1);
  });

  it.each<[string, unknown]>([
    ['a number', 1],
    ['a text', 'x'.repeat(100)],
    ['undefined', undefined],
    ['bytes in an array', [Uint8Array.of(1)]],
    ['a stream in an object', { log: (async function* () {})() }],
    ['a reference', referenceTo(Uint8Array.of(0x6e))],
    ['a large value', Array.from({ length: 100 }, () => undefined)],
  ])('is none of %s', (_, value) => {
    expect(codec.contentPart(codec.encode(value, { streams: true }))).toBeUndefined();
  });

  it.each<[string, unknown, number[]]>([
    ['when the kind is unknown', ['\0v', 99], [8]],
    ['when the kind is no number', ['\0v', 'length'], [8]],
    ['when the buffer has part of an element', ['\0v', 8], [9]],
    ['when there is no buffer', ['\0v', 1], []],
    ['when there are more buffers', ['\0v', 1], [8, 8]],
    ['when the length is another', ['\0q', 1, 7], [8]],
  ])('is refused %s, as decode does', (_, node, lengths) => {
    const head = Buffer.concat([Buffer.of(TREE_BYTE), pack(node)]);
    const encoded = { head, buffers: lengths.map((length) => new Uint8Array(length)) };
    const malformed = expect.objectContaining({ code: 'BYTES_MALFORMED' });
    expect(() => codec.contentPart(encoded)).toThrow(malformed);
    expect(() => codec.decode(encoded)).toThrow(malformed);
  });

  it('is refused when the head is cut short', () => {
    const { head, buffers } = codec.encode(new Float64Array(500));
    expect(() => codec.contentPart({ head: head.subarray(0, -1), buffers })).toThrow(
      expect.objectContaining({ code: 'BYTES_MALFORMED' }),
    );
  });
});
