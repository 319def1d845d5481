import { type BlobPart, isBlobDigest, type ResultMetadata } from '@routine-engine/core/adapter';

/** Most parts of one result that are kept as blobs. */
const MOST_BLOBS = 32_768;
/** Longest `node`: 4,096 bytes in base64, and some room. */
const NODE_LENGTH = 5_500;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

/** Whether it is complete metadata of a result whose parts have those sizes. */
export function isMetadata(value: unknown, sizes: readonly number[]): value is ResultMetadata {
  if (typeof value !== 'object' || value === null) return false;
  const { routineId, argumentsDigest, runId, codec, createdAt, durationMs, blobs, streams, node } =
    value as Readonly<Record<string, unknown>>;
  const texts = [routineId, runId, codec].every((text) => typeof text === 'string');
  const isDigest = argumentsDigest === undefined || typeof argumentsDigest === 'string';
  const isNode =
    node === undefined || (typeof node === 'string' && node.length <= NODE_LENGTH && BASE64.test(node));
  const areNumbers = Number.isFinite(createdAt) && Number.isFinite(durationMs);
  const areStreams = streams === undefined || (isCount(streams) && streams < sizes.length);
  return (
    texts && isDigest && isNode && areNumbers && areStreams && (blobs === undefined || fit(blobs, sizes))
  );
}

/** Whether the parts that a list of blobs names are there, and empty, since a blob has their bytes. */
function fit(blobs: unknown, sizes: readonly number[]): boolean {
  if (!Array.isArray(blobs) || blobs.length > MOST_BLOBS) return false;
  let before = -1;
  return blobs.every((blob: unknown) => {
    const { part, digest, byteLength } = (blob ?? {}) as Readonly<Partial<BlobPart>>;
    const isNext = isCount(part) && part > before && sizes[part] === 0;
    if (isNext) before = part;
    return isNext && isBlobDigest(digest) && isCount(byteLength);
  });
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
