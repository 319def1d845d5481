import { createHash } from 'node:crypto';
import type { DigestSink } from './digest-sink.js';

/** In place of more bytes than this their SHA-256 counts. Part of the definition of digests. */
export const LARGE_BYTES = 4096;
/** What is hashed at a time: the hash takes no more than 2 GiB at once. */
const PIECE_BYTES = 1024 * 1024 * 1024;

/** The hashes of the large binary values in one value: each is made once, wherever that stands. */
export class LargeBytes {
  /** By value; made when the first is met. */
  #hashes: Map<object, Buffer> | undefined;
  readonly #parts: PartsByMemory | undefined;

  /** @param parts - of the encoded value, by number: those whose hashes are made elsewhere. */
  constructor(parts?: ReadonlyMap<number, Uint8Array>) {
    this.#parts = parts && byMemory(parts);
  }

  /** Adds the hash of a value's bytes, or a gap when they are one of the parts. */
  add(value: object, bytes: Uint8Array, sink: DigestSink): void {
    const part = this.#parts?.get(bytes.buffer)?.get(bytes.byteOffset);
    if (part && part.byteLength === bytes.byteLength) return sink.gap(part.number);
    const hashes = (this.#hashes ??= new Map());
    const digest = hashes.get(value) ?? hashOf(bytes);
    hashes.set(value, digest);
    sink.node(digest);
  }
}

interface Part {
  readonly number: number;
  readonly byteLength: number;
}

/** By their memory, then by where they begin in it. */
type PartsByMemory = ReadonlyMap<ArrayBufferLike, ReadonlyMap<number, Part>>;

function byMemory(parts: ReadonlyMap<number, Uint8Array>): PartsByMemory {
  const memories = new Map<ArrayBufferLike, Map<number, Part>>();
  for (const [number, { buffer, byteOffset, byteLength }] of parts) {
    const inMemory = memories.get(buffer) ?? new Map<number, Part>();
    memories.set(buffer, inMemory.set(byteOffset, { number, byteLength }));
  }
  return memories;
}

function hashOf(bytes: Uint8Array): Buffer {
  const digest = createHash('sha256');
  for (let at = 0; at < bytes.byteLength; at += PIECE_BYTES)
    digest.update(bytes.subarray(at, at + PIECE_BYTES));
  return digest.digest();
}
