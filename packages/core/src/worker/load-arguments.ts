import type { Contents } from '../cache/contents.js';
import { encodedOf, encodedOfParts, type Body } from '../model/body.js';
import { isLoaded, type Encoded } from '../model/encoded.js';
import { untilAborted } from '../model/until-aborted.js';
import type { RequestStart } from '../protocol/directives.js';
import { isStreaming, WatchedBody } from '../protocol/watched-body.js';

/** The arguments of a run when all of them are in memory here. */
export function argumentsAtHand({ blobs }: RequestStart, body: Body): Encoded | undefined {
  if (blobs) return undefined;
  const value = body.value ?? (body.parts && encodedOfParts(body.parts));
  return value && isLoaded(value) ? value : undefined;
}

/**
 * Reads the arguments of a run into memory: what streams, and what lies in the store. Others may hold the same bytes.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED`, `REFERENCE_UNREACHABLE`, `CONTENT_MISSING`, `CONTENT_CORRUPT`; what
 *   store and body throw; the reason of `signal`, at once.
 */
export async function loadArguments(
  { store, blobs }: RequestStart,
  body: Body,
  contents: Contents,
  signal: AbortSignal,
): Promise<Encoded> {
  const value = await (isStreaming(body) ? readUnlessAborted(body, signal) : encodedOf(body));
  if (!blobs || store === undefined) return contents.loadShared(value, { signal });
  const opened = await contents.open(store, blobs, { signal });
  return contents.loadShared({ ...value, blobs: opened }, { signal });
}

async function readUnlessAborted(body: Body, signal: AbortSignal): Promise<Encoded> {
  const { sizes, byteLength } = body;
  const watched = new WatchedBody(body, {});
  try {
    return await encodedOf({ sizes, byteLength, chunks: () => untilAborted(watched.chunks(), signal) });
  } catch (error) {
    // Also when there is no memory for it, and nothing was read yet.
    watched.stop(error as Error);
    throw error;
  }
}
