import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import type { StoredBlob } from '../model/stored-blob.js';
import type { BlobStore } from '../ports/blob-store.js';
import type { ResultStore } from '../ports/result-store.js';

/** The blobs of a store that says it keeps some. */
export function blobsOf(store: ResultStore): BlobStore {
  assert.ok(store.blobs, 'the store has no blobs');
  return store.blobs;
}

export function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Bytes as an iterable, in chunks of those lengths and one more with the rest, in memory that is used again for the next one. */
export async function* inChunks(bytes: Uint8Array, ...lengths: number[]): AsyncGenerator<Uint8Array> {
  const memory = new Uint8Array(bytes.byteLength);
  let at = 0;
  for (const length of [...lengths, bytes.byteLength]) {
    const taken = bytes.subarray(at, at + length);
    memory.set(taken);
    yield memory.subarray(0, taken.byteLength);
    memory.fill(0);
    at += taken.byteLength;
  }
}

/** All bytes of a blob. */
export async function readAll(blob: StoredBlob, signal?: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of blob.chunks(signal && { signal })) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

/** Fails unless the blob has those bytes, and says so. */
export async function assertHas(blob: StoredBlob | undefined, expected: Uint8Array): Promise<void> {
  assert.ok(blob, 'get found no blob');
  assert.equal(blob.digest, digestOf(expected), 'digest of the blob');
  assert.equal(blob.byteLength, expected.byteLength, 'byteLength of the blob');
  const got = await readAll(blob);
  assert.equal(got.byteLength, expected.byteLength, 'number of bytes that were read');
  const differs =
    Buffer.compare(got, expected) === 0 ? -1 : got.findIndex((byte, at) => byte !== expected[at]);
  assert.equal(differs, -1, `the first byte of ${expected.byteLength} that was read wrong`);
}

/** Fails unless there is no trace of the bytes, and they can be put. */
export async function assertNoBlob(blobs: BlobStore, bytes: Uint8Array): Promise<void> {
  const digest = digestOf(bytes);
  assert.ok((await blobs.get(digest)) === undefined, 'get gives a blob where there is none');
  assert.deepEqual(await digestsIn(blobs), [], 'what is listed');
  assert.equal((await blobs.put(bytes)).outcome, 'stored', 'what the next put says');
  await assertHas(await blobs.get(digest), bytes);
}

export async function digestsIn(blobs: BlobStore): Promise<string[]> {
  const digests: string[] = [];
  for await (const { digest } of blobs.list()) digests.push(digest);
  return digests.toSorted();
}
