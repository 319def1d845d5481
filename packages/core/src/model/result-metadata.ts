import { OUTLINE_ENTRIES, RESULT_INPUTS, type ResultInput, type ResultMetadata } from './result.js';
import { isBlobDigest, type BlobPart } from './stored-blob.js';

/** Most parts of one result that are kept as blobs. */
const MOST_BLOBS = 32_768;
/** Longest text of an outline, in UTF-16 units. */
const OUTLINE_TEXT_LENGTH = 500;
/** Longest `node`: 4,096 bytes in base64, and some room. */
const NODE_LENGTH = 5_500;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const SHA256 = /^[0-9a-f]{64}$/;

/** What each member has to be. Others may be there, from a later version. */
const MEMBERS: Readonly<Record<keyof ResultMetadata, (value: unknown) => boolean>> = {
  routineId: isText,
  sourceHash: optional(isSha256),
  parentRunId: optional(isText),
  worker: optional(isText),
  inputs: optional((value) => isList(value, RESULT_INPUTS) && value.every(isInput)),
  outline: optional(isOutline),
  argumentsDigest: optional(isText),
  runId: isText,
  codec: isText,
  createdAt: Number.isFinite,
  durationMs: Number.isFinite,
  blobs: optional(areBlobs),
  streams: optional(isSize),
  node: optional((value) => isText(value) && value.length <= NODE_LENGTH && BASE64.test(value)),
};
const CHECKS = Object.entries(MEMBERS);

/**
 * Whether something from a store, or from a caller, is complete metadata, each member within its bound. For stores: whether it
 * fits the parts that it came with, {@link fitsParts} says.
 * @public
 */
export function isResultMetadata(value: unknown): value is ResultMetadata {
  if (typeof value !== 'object' || value === null) return false;
  const members = value as Readonly<Record<string, unknown>>;
  return CHECKS.every(([name, isRight]) => isRight(members[name]));
}

/** Whether the parts that metadata name are there, and empty where a blob has their bytes. @public */
export function fitsParts({ blobs = [], streams = 0 }: ResultMetadata, sizes: readonly number[]): boolean {
  return streams < sizes.length && blobs.every(({ part }) => sizes[part] === 0);
}

/** Whether something is a number of bytes or parts. @public */
export function isSize(size: unknown): size is number {
  return Number.isSafeInteger(size) && (size as number) >= 0;
}

function optional(isRight: (value: unknown) => boolean): (value: unknown) => boolean {
  return (value) => value === undefined || isRight(value);
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isSha256(value: unknown): boolean {
  return isText(value) && SHA256.test(value);
}

function isList(value: unknown, most: number): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most;
}

function isInput(value: unknown): boolean {
  const { key, store, routineId } = (value ?? {}) as Readonly<Partial<ResultInput>>;
  return isSha256(key) && isText(store) && isText(routineId);
}

function isOutline(value: unknown): boolean {
  if (!isList(value, 2 * OUTLINE_ENTRIES) || value.length % 2 !== 0) return false;
  return value.every((text) => isText(text) && text.length <= OUTLINE_TEXT_LENGTH);
}

function areBlobs(value: unknown): boolean {
  if (!isList(value, MOST_BLOBS)) return false;
  let before = -1;
  return value.every((blob) => {
    const { part, digest, byteLength } = (blob ?? {}) as Readonly<Partial<BlobPart>>;
    const isNext = isSize(part) && part > before;
    if (isNext) before = part;
    return isNext && isBlobDigest(digest) && isSize(byteLength);
  });
}
