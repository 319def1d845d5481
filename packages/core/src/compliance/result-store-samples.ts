import assert from 'node:assert/strict';
import { type Body, bodyOf, encodedOf } from '../model/body.js';
import type { ResultKey, ResultMetadata, StoredResult } from '../model/result.js';
import type { ResultEntry, ResultStore } from '../ports/result-store.js';

/** A key that differs from others in its last digits. */
export function keyOf(number: number): ResultKey {
  return number.toString(16).padStart(64, 'a');
}

export const METADATA: ResultMetadata = {
  routineId: 'tname:news:train:0.0.1',
  argumentsDigest: 'b'.repeat(64),
  runId: '0190b5a2-4c1e-7d3a-9f21-3c5d7e9f1a2b',
  codec: 'compliance-1',
  createdAt: 1_720_000_000_123,
  durationMs: 1234.5,
};

/** Bytes without a pattern that a store could lose unnoticed; the same for the same seed. */
export function bytesOf(byteLength: number, seed = 1): Uint8Array {
  const bytes = new Uint8Array(byteLength);
  let state = seed;
  for (let at = 0; at < byteLength; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** A result in memory, with one part a size. */
export function resultOf(sizes: readonly number[], seed = 1, metadata = METADATA): StoredResult {
  const [head = new Uint8Array(0), ...buffers] = sizes.map((size, part) => bytesOf(size, seed + part));
  return { metadata, body: bodyOf({ head, buffers }) };
}

/** A result whose body can only be read once, in chunks. */
export function streamed(sizes: readonly number[], chunks: () => AsyncIterable<Uint8Array>): StoredResult {
  const byteLength = sizes.reduce((sum, size) => sum + size, 0);
  return { metadata: METADATA, body: { byteLength, sizes, chunks } };
}

/** All bytes of a body that is in memory or can be read once. */
export async function contentOf(body: Body): Promise<Uint8Array> {
  const { head, buffers } = await encodedOf(body);
  return Buffer.concat([head, ...buffers]);
}

/** Fails unless the store gives the bytes of that result under the key. Says nothing of their division into parts. */
export async function assertGives(store: ResultStore, key: ResultKey, expected: StoredResult): Promise<void> {
  const found = await store.get(key);
  assert.ok(found, `get(${key}) found nothing`);
  assert.equal(found.body.byteLength, expected.body.byteLength, 'byteLength of what get gave');
  const [got, wanted] = await Promise.all([contentOf(found.body), contentOf(expected.body)]);
  assert.equal(got.byteLength, wanted.byteLength, 'number of bytes that get gave');
  // Compared at once first: most of the bytes of all cases pass here.
  const differs = Buffer.compare(got, wanted) === 0 ? -1 : got.findIndex((byte, at) => byte !== wanted[at]);
  assert.equal(differs, -1, `the first byte of ${wanted.byteLength} that get gave wrong`);
}

/** Fails unless there is no trace of the key, and a result can be put there. */
export async function assertNothingLeft(store: ResultStore, key: ResultKey): Promise<void> {
  assert.ok((await store.get(key)) === undefined, 'get gives a result where there is none');
  assert.equal(await store.has(key), false, 'what has says');
  const entries = await listOf(store);
  assert.ok(!entries.some((entry) => entry.key === key), 'the key is listed');
  const next = resultOf([10], 77);
  assert.equal(await store.put(key, next), 'stored', 'what the next put says');
  await assertGives(store, key, next);
}

export async function listOf(store: ResultStore): Promise<ResultEntry[]> {
  const entries: ResultEntry[] = [];
  for await (const entry of store.list()) entries.push(entry);
  return entries;
}

/** Fails unless the promise rejects with that code. */
export async function assertRejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.equal((error as { code?: unknown }).code, code);
    return true;
  });
}
