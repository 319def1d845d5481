import { encodedOf, encodedOfParts } from '../model/body.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from '../model/encoded.js';
import { encodedBytes } from '../model/encoded.js';
import type { ReferenceData } from '../model/reference.js';
import type { ResultKey, ResultMetadata, StoredResult } from '../model/result.js';
import type { BlobPart, StoredBlob } from '../model/stored-blob.js';
import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';

/** The value of a stored result when all of it is at hand, as most are: then nothing need be waited for. */
export function valueAtHand({ metadata, body }: StoredResult): Encoded | undefined {
  if (!body.parts || (metadata.blobs && metadata.blobs.length > 0)) return undefined;
  const { head, buffers } = encodedOfParts(body.parts);
  return { head, buffers, streams: metadata.streams };
}

/**
 * The value of a stored result. What the store keeps as blobs stays there until it is read.
 * @throws {@link RoutineEngineError} `CONTENT_MISSING` when a blob is gone; what the store throws.
 */
export async function storedValue(
  store: ResultStore,
  { metadata, body }: StoredResult,
  options?: StoreCallOptions,
): Promise<Encoded> {
  const { head, buffers } = await encodedOf(body);
  const { streams, blobs } = metadata;
  if (!blobs || blobs.length === 0) return { head, buffers, streams };
  return { head, buffers, streams, blobs: await openBlobs(store, blobs, options) };
}

/**
 * The blobs that a value's parts are kept as.
 * @throws {@link RoutineEngineError} `CONTENT_MISSING`; `BYTES_MALFORMED` when a part is no number of one, or there twice;
 *   what the store throws.
 */
export async function openBlobs(
  store: ResultStore,
  parts: readonly BlobPart[],
  options?: StoreCallOptions,
): Promise<ReadonlyMap<number, StoredBlob>> {
  const numbers = new Set<unknown>(parts.map(({ part }) => part));
  if (numbers.size < parts.length || ![...numbers].every(isPartNumber))
    throw new RoutineEngineError('BYTES_MALFORMED', 'A value has a part twice, or one without a number');
  const open = async ({ part, digest }: BlobPart): Promise<readonly [number, StoredBlob]> => {
    const blob = await store.blobs?.get(digest, options);
    if (blob) return [part, blob];
    throw new RoutineEngineError('CONTENT_MISSING', `The store ${store.identity} has no content ${digest}`);
  };
  return new Map(await Promise.all(parts.map(open)));
}

function isPartNumber(part: unknown): boolean {
  return Number.isSafeInteger(part) && (part as number) >= 0;
}

/** How metadata and headers name the parts of a value that are not in memory; `undefined` when all are. */
export function blobPartsOf({ blobs }: Encoded): readonly BlobPart[] | undefined {
  if (!blobs) return undefined;
  return [...blobs].map(([part, { digest, byteLength }]) => ({ part, digest, byteLength }));
}

/** The name of a kept result. @param node - what stands for its value in digests. */
export function referenceTo(
  store: ResultStore,
  key: ResultKey,
  metadata: Pick<ResultMetadata, 'routineId'>,
  value: Encoded,
  node: Uint8Array,
): ReferenceData {
  const { routineId } = metadata;
  return { key, store: store.identity, routineId, byteLength: encodedBytes(value), node };
}
