import type { Contents } from '../cache/contents.js';
import { blobPartsOf } from '../cache/stored-value.js';
import { bodyOf, type Body } from '../model/body.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { ServiceLink } from './service-link.js';

/** More parts than this in a store would make a directive too long that names them. */
const MOST_BLOBS = 4_000;

/** A value on its way: its bytes, and those of its parts that lie in the shared store in place of the body. */
export interface SentValue {
  readonly body: Body;
  readonly blobs?: readonly BlobPart[] | undefined;
}

/** Whether a value has a part that is worth going by way of a store. */
export function hasLargePart({ head, buffers, blobs }: Encoded): boolean {
  if (blobs && blobs.size > 0) return true;
  if (head.byteLength >= LIMITS.blobBytes) return true;
  for (const buffer of buffers) if (buffer.byteLength >= LIMITS.blobBytes) return true;
  return false;
}

/**
 * Puts the large parts of a value into the store that this node shares with its receiver. What the store can't take, and
 * what is cancelled meanwhile, goes whole: the store is only the shorter way. Never rejects.
 */
export async function shareValue(
  value: Encoded,
  { contents, link }: { readonly contents: Contents; readonly link: ServiceLink },
  signal: AbortSignal,
): Promise<SentValue> {
  try {
    const shared = await contents.share(value, { signal });
    const blobs = blobPartsOf(shared);
    if (!blobs || blobs.length > MOST_BLOBS) return { body: bodyOf(value) };
    const { head, buffers } = shared;
    return { body: bodyOf({ head, buffers }), blobs };
  } catch (error) {
    if (!signal.aborted)
      link.logger.log('warn', 'A value goes whole: its parts could not be stored', { error });
    return { body: bodyOf(value) };
  }
}
