import { createHash } from 'node:crypto';
import type { Encoded } from '../model/encoded.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { untilAborted } from '../model/until-aborted.js';
import type { Codec, EncodedValue, ValueStream } from '../ports/codec.js';
import type { RunHost } from '../ports/executor.js';

/** A result as bytes, its streams read to their end. */
export interface EncodedResult {
  readonly value: Encoded;
  /** What stands for it in canonical digests, when that was asked for. */
  readonly node: Uint8Array | undefined;
}

/**
 * Encodes what a body gave. Streams are read to their end and put where they may be read again: then it is a promise, which
 * an ordinary result need not wait for.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path from `result` on; what a
 *   stream throws; what `spool` throws.
 */
export function encodeResult(
  result: unknown,
  parts: { readonly codec: Codec; readonly spool: RunHost['spool'] },
  wantsNode: boolean,
): EncodedResult | Promise<EncodedResult> {
  const encoded = parts.codec.encode(result, { path: PATH, streams: true });
  if (encoded.valueStreams) return encodeStreams(result, encoded, encoded.valueStreams, parts, wantsNode);
  const node = wantsNode ? parts.codec.digestNode(result, { path: PATH }) : undefined;
  return { value: encoded, node };
}

const PATH = 'result';

/** All streams at once, since one may wait for another. When one fails, the others are ended. */
async function encodeStreams(
  result: unknown,
  { head, buffers, streams }: EncodedValue,
  valueStreams: readonly ValueStream[],
  { codec, spool }: { readonly codec: Codec; readonly spool: RunHost['spool'] },
  wantsNode: boolean,
): Promise<EncodedResult> {
  // The body may go on while its streams are read, and change what it returned.
  const kept: Uint8Array[] = buffers.map((buffer) => Uint8Array.from(buffer));
  const contents = await spoolAll(valueStreams, spool);
  const blobs = new Map<number, StoredBlob>();
  for (const [{ part }, content] of contents) {
    if (content instanceof Uint8Array) kept[part - 1] = content;
    else blobs.set(part, content);
  }
  const digests = new Map([...contents].map(([{ value }, content]) => [value, digested(content)]));
  return {
    value: { head, buffers: kept, streams, ...(blobs.size > 0 && { blobs }) },
    node: wantsNode ? codec.digestNode(result, { path: PATH, streams: digests }) : undefined,
  };
}

async function spoolAll(
  streams: readonly ValueStream[],
  spool: RunHost['spool'],
): Promise<ReadonlyMap<ValueStream, StoredBlob | Uint8Array>> {
  const failed = new AbortController();
  const read = async (stream: ValueStream): Promise<readonly [ValueStream, StoredBlob | Uint8Array]> => [
    stream,
    await spool(untilAborted(stream.chunks, failed.signal)),
  ];
  try {
    return new Map(await Promise.all(streams.map(read)));
  } catch (error) {
    failed.abort(error);
    // One that nobody began to read is ended only so.
    for (const { chunks } of streams) void Promise.allSettled([chunks[Symbol.asyncIterator]().return?.()]);
    throw error;
  }
}

function digested(content: StoredBlob | Uint8Array): Pick<StoredBlob, 'digest' | 'byteLength'> {
  const { byteLength } = content;
  if (!(content instanceof Uint8Array)) return { digest: content.digest, byteLength };
  return { digest: createHash('sha256').update(content).digest('hex'), byteLength };
}
