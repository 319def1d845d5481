import { RoutineEngineError } from '../errors/routine-engine-error.js';

/**
 * Bytes that lie in a store or a spool in place of memory. They may be read any number of times, and never change.
 * @public
 */
export interface StoredBlob {
  /** SHA-256 of the bytes, 64 lower-case hex digits. */
  readonly digest: string;
  readonly byteLength: number;
  /**
   * The bytes in order, in chunks of any size; each call reads anew. A chunk is only lent, until the next one is asked for.
   * Reading fails with `CONTENT_MISSING` when they are gone by now, and with `CONTENT_CORRUPT`, at the latest in place of
   * the end, when they are not what the digest says.
   */
  chunks(options?: { readonly signal?: AbortSignal }): AsyncIterable<Uint8Array>;
  /**
   * Reads all of the bytes into memory that is exactly as long, which saves who wants them whole a copy. Fails as
   * {@link StoredBlob.chunks} does; then the memory holds anything, and may still be written to. Absent where it would save
   * nothing.
   */
  readInto?(target: Uint8Array, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** A part of a value that lies in a store, as headers and metadata name it. Plain data. @public */
export interface BlobPart {
  /** Which part of the value: 0 is the head, then the buffers. */
  readonly part: number;
  /** See {@link StoredBlob.digest}. */
  readonly digest: string;
  readonly byteLength: number;
}

const DIGEST = /^[0-9a-f]{64}$/;

/** Whether a text is of the form of a blob's digest. @public */
export function isBlobDigest(digest: unknown): digest is string {
  return typeof digest === 'string' && DIGEST.test(digest);
}

/**
 * Checks the digest of a blob before a store does anything with it: no other text ever becomes a path or a name.
 * @throws {@link RoutineEngineError} `STORE_KEY_INVALID`.
 * @public
 */
export function assertBlobDigest(digest: unknown): asserts digest is string {
  if (isBlobDigest(digest)) return;
  const given = JSON.stringify(String(digest).slice(0, 80));
  throw new RoutineEngineError(
    'STORE_KEY_INVALID',
    `The digest of a blob is 64 lower-case hex digits, not ${given}`,
  );
}
