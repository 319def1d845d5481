import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Reference, type ReferenceData } from '../model/reference.js';
import type { Codec } from '../ports/codec.js';

/** Length and SHA-256 of what streams give. */
export type StreamContents = ReadonlyMap<object, { readonly byteLength: number; readonly digest: string }>;

/** What stands for a stored result in the values of the kit. */
class ValueReference extends Reference {
  constructor(readonly data: ReferenceData) {
    super(data);
  }
}

/** A reference whose value has this node; the key follows from the node. */
export function valueReference(node: Uint8Array): Reference & { readonly data: ReferenceData } {
  const key = sha256(node);
  return new ValueReference({
    ...{ key, store: 'memory:1', routineId: 'tname:test:make:1.0.0', byteLength: 70_000 },
    node: Uint8Array.from(node),
  });
}

export const asReference = (data: ReferenceData): Reference => new ValueReference(data);

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** What arrives of a value. */
export function carried<T>(codec: Codec, value: T): T {
  return codec.decode(codec.encode(value)) as T;
}

/** Fails unless a value arrives equal: also in what `deepEqual` does not look at. */
export function assertCarried(codec: Codec, value: unknown): void {
  const arrived = carried(codec, value);
  assert.deepEqual(arrived, value);
  assertSameForm(arrived, value);
}

/** The order of keys, and what a URL, a Date and an Error are. */
function assertSameForm(arrived: unknown, value: unknown, seen = new Set<unknown>()): void {
  if (typeof value !== 'object' || value === null || seen.has(value)) return;
  seen.add(value);
  assert.equal(Object.getPrototypeOf(arrived), Object.getPrototypeOf(value), 'the prototype');
  if (ArrayBuffer.isView(value)) return;
  assert.deepEqual(Object.keys(arrived as object), Object.keys(value), 'the order of keys');
  if (value instanceof URL) assert.equal(String(arrived), value.href, 'the URL');
  if (value instanceof Date) assert.equal((arrived as Date).getTime(), value.getTime());
  if (value instanceof Map) assertSameForm([...(arrived as typeof value)], [...value], seen);
  if (value instanceof Set) assertSameForm([...(arrived as typeof value)], [...value], seen);
  for (const key of Object.keys(value)) {
    const at = key as keyof typeof value;
    assertSameForm((arrived as typeof value)[at], value[at], seen);
  }
}

/** Fails unless the call throws an error with that code, and gives its message. */
export function assertRefuses(call: () => unknown, code: string): string {
  try {
    call();
  } catch (error) {
    assert.equal((error as { code?: unknown }).code, code, String(error));
    return (error as Error).message;
  }
  assert.fail(`Nothing was refused as ${code}`);
}

/** A stream of these chunks. */
export async function* streamOf(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** All bytes of a stream. */
export async function bytesIn(chunks: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const all: Uint8Array[] = [];
  for await (const chunk of chunks) all.push(Uint8Array.from(chunk));
  return Uint8Array.from(Buffer.concat(all));
}

/** The bytes 0, 1, 2 and so on. */
export function countingBytes(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at += 1) bytes[at] = at;
  return bytes;
}
