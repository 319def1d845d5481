import {
  type Body,
  type ResultKey,
  RoutineEngineError,
  type StoredResult,
  untilAborted,
  fitsParts,
  isResultMetadata,
} from '@routine-engine/core/adapter';
import { areSizes, INLINE_BYTES } from './entry-format.js';
import { gathered } from './pieces.js';
import type { S3Place } from './s3-place.js';

/**
 * Keeps a result, unless the key has one. A body that comes in chunks is never in memory whole, unless it is small.
 * @throws {@link RoutineEngineError} `STORE_FULL` or `STORE_UNREACHABLE`; `BYTES_MALFORMED` when the body or the metadata are
 *   not what they should be; the signal's reason; whatever the body throws.
 */
export async function keepResult(
  place: S3Place,
  key: ResultKey,
  { metadata, body }: StoredResult,
  signal: AbortSignal | undefined,
): Promise<'stored' | 'present'> {
  refuseMalformed(key, metadata, body);
  const { sizes, byteLength, parts } = body;
  const doing = `keep the result ${key}`;
  const draft = { kind: 'result', key, sizes, metadata } as const;
  if (parts) return place.keepParts(draft, doing, parts, signal);
  const pieces = exactly(gathered(untilAborted(body.chunks(), signal)), key, byteLength);
  if (byteLength <= INLINE_BYTES) {
    const content: Uint8Array[] = [];
    for await (const piece of pieces) content.push(piece);
    return place.keepInline(draft, doing, content, signal);
  }
  if (await place.results.has(key, doing, signal)) return 'present';
  const judge = (): string => key;
  return (await place.keepData(draft, doing, pieces, { byteLength, signal, judge })).outcome;
}

function refuseMalformed(key: ResultKey, metadata: unknown, { sizes, byteLength, parts }: Body): void {
  const agrees =
    !parts || (parts.length === sizes.length && parts.every((part, at) => part.byteLength === sizes[at]));
  if (!agrees || !areSizes(sizes, byteLength)) {
    const said = `${byteLength} bytes in all and parts of [${sizes.slice(0, 20).join(', ')}] bytes`;
    const message = `The body of result ${key} says that it has ${said}, which is not so`;
    throw new RoutineEngineError('BYTES_MALFORMED', message);
  }
  if (isResultMetadata(metadata) && fitsParts(metadata, sizes)) return;
  const got = (JSON.stringify(metadata) ?? 'none').slice(0, 200);
  const message = `A result is kept with complete metadata that fit its parts; ${key} has ${got}`;
  throw new RoutineEngineError('BYTES_MALFORMED', message);
}

/** The same pieces. @throws `BYTES_MALFORMED` when they are not that many bytes; at once when they are more. */
async function* exactly(
  pieces: AsyncIterable<Uint8Array>,
  key: ResultKey,
  byteLength: number,
): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  const refuse = (got: string): never => {
    const message = `The body of result ${key} gave ${got} than its ${byteLength} bytes`;
    throw new RoutineEngineError('BYTES_MALFORMED', message);
  };
  for await (const piece of pieces) {
    bytes += piece.byteLength;
    if (bytes > byteLength) refuse('more');
    yield piece;
  }
  if (bytes < byteLength) refuse('fewer');
}
