import type { Contents } from '../cache/contents.js';
import { readProperty } from '../errors/error-class.js';
import { encodedOfParts, type Body } from '../model/body.js';
import type { Encoded } from '../model/encoded.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { whenAborted } from '../model/when-aborted.js';
import type { RunCompletes } from '../protocol/directives.js';
import { WatchedBody } from '../protocol/watched-body.js';
import { PartReader } from './part-reader.js';

const EMPTY = new Uint8Array(0);

/** The value of a result whose bytes are all here; `undefined` when some are yet to be read or looked up. */
export function valueAtHand({ streams, blobs }: RunCompletes, body: Body): Encoded | undefined {
  if (blobs) return undefined;
  const value = body.value ?? (body.parts && encodedOfParts(body.parts));
  return value && streams !== undefined ? { ...value, streams } : value;
}

/**
 * Reads the value of a result: its streams to where they may be read again, everything else into memory. Parts in a store
 * stay there. However it ends, the body is read or given up.
 * @param signal - gives the body up.
 * @returns `undefined` when its sender could not send all of it: then the service has the run done again.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED`, `CONTENT_MISSING`, `REFERENCE_UNREACHABLE`; what keeping a stream
 *   throws.
 */
export async function receiveValue(
  run: RunCompletes,
  body: Body,
  contents: Contents,
  signal: AbortSignal,
): Promise<Encoded | undefined> {
  const { store, blobs, streams } = run;
  let isCut = false;
  const watched = new WatchedBody(body, {
    onFailed: (error) => (isCut = readProperty(error as object, 'code') !== 'BYTES_MALFORMED'),
  });
  try {
    const here = valueAtHand({ ...run, blobs: undefined }, body);
    const read = here ?? (await readParts(watched, streams ?? 0, contents, signal));
    if (!blobs || store === undefined) return { ...read, streams };
    const opened = await contents.open(store, blobs, { signal });
    return { ...read, streams, blobs: new Map([...(read.blobs ?? []), ...opened]) };
  } catch (error) {
    if (isCut) return undefined;
    throw error;
  }
}

async function readParts(
  body: WatchedBody,
  streams: number,
  contents: Contents,
  signal: AbortSignal,
): Promise<Encoded> {
  const chunks = body.chunks()[Symbol.asyncIterator]();
  const giveUp = (): void => void Promise.allSettled([chunks.return?.()]);
  const settled = whenAborted(signal, giveUp);
  try {
    const reader = new PartReader(chunks);
    const parts: Uint8Array[] = [];
    const blobs = new Map<number, StoredBlob>();
    for (const [part, size] of body.sizes.entries()) {
      const isStream = part >= body.sizes.length - streams;
      const read = await (isStream ? contents.spool(reader.chunks(size), { signal }) : reader.whole(size));
      parts.push(read instanceof Uint8Array ? read : EMPTY);
      if (!(read instanceof Uint8Array)) blobs.set(part, read);
    }
    await reader.end();
    return { ...encodedOfParts(parts), ...(blobs.size > 0 && { blobs }), isOwn: true };
  } finally {
    settled();
    giveUp();
  }
}
