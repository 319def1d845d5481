import { createHash } from 'node:crypto';
import {
  bodyOf,
  encodedOfParts,
  isResultMetadata,
  isSize,
  RoutineEngineError,
  untilAborted,
  type Body,
  type ResultMetadata,
  type StoredResult,
} from '@routine-engine/core/adapter';

const LENGTH_BYTES = 4;
const DIGEST_BYTES = 32;

/** A result as the bytes of one file: the length of a head, the head, the body, and the SHA-256 of all that. */
export async function fileOf({ metadata, body }: StoredResult, signal?: AbortSignal): Promise<Uint8Array> {
  const head = Buffer.from(JSON.stringify({ metadata, sizes: body.sizes }));
  const file = Buffer.alloc(LENGTH_BYTES + head.byteLength + body.byteLength + DIGEST_BYTES);
  file.writeUInt32BE(head.byteLength);
  head.copy(file, LENGTH_BYTES);
  const end = file.byteLength - DIGEST_BYTES;
  await fill(file.subarray(LENGTH_BYTES + head.byteLength, end), body, signal);
  digestOf(file.subarray(0, end)).copy(file, end);
  return file;
}

/** @returns `undefined` when the bytes are not those that were written. */
export function resultOf(file: Buffer): StoredResult | undefined {
  const end = file.byteLength - DIGEST_BYTES;
  if (end < LENGTH_BYTES || !digestOf(file.subarray(0, end)).equals(file.subarray(end))) return undefined;
  let from = LENGTH_BYTES + file.readUInt32BE();
  const { metadata, sizes } = JSON.parse(file.toString('utf8', LENGTH_BYTES, from)) as Head;
  if (!isResultMetadata(metadata) || !sizes.every(isSize)) return undefined;
  const parts = sizes.map((size) => file.subarray(from, (from += size)));
  return { metadata, body: bodyOf(encodedOfParts(parts)) };
}

interface Head {
  readonly metadata: ResultMetadata;
  readonly sizes: readonly number[];
}

/** @throws `BYTES_MALFORMED` when the body is not what it says. */
async function fill(target: Uint8Array, body: Body, signal: AbortSignal | undefined): Promise<void> {
  let filled = 0;
  for await (const chunk of untilAborted(body.chunks(), signal)) {
    if (filled + chunk.byteLength <= target.byteLength) target.set(chunk, filled);
    filled += chunk.byteLength;
    if (filled > target.byteLength) break;
  }
  const { sizes, parts } = body;
  const sum = sizes.reduce((total, size) => total + size, 0);
  const isOfParts = !parts || parts.map((part) => part.byteLength).join() === sizes.join();
  if (filled === sum && filled === target.byteLength && isOfParts && sizes.length > 0) return;
  const said = `[${sizes.join(', ')}] bytes, ${body.byteLength} in all`;
  throw new RoutineEngineError('BYTES_MALFORMED', `A body says that it has ${said}, and has not`);
}

function digestOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}
