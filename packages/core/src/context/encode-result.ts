import { createHash } from 'node:crypto';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { UnfinishedNode } from '../model/unfinished-node.js';
import { untilAborted } from '../model/until-aborted.js';
import type { Codec, EncodedValue, ValueStream } from '../ports/codec.js';
import type { RunHost } from '../ports/executor.js';
import { makeRef } from './ref.js';

/** A result as bytes, its streams read to their end. */
export interface EncodedResult {
  readonly value: Encoded;
  /** What stands for it in canonical digests, when that was asked for. */
  readonly node?: Uint8Array | undefined;
  /** In place of `node`; see {@link RunHost.finishesNode}. */
  readonly unfinishedNode?: UnfinishedNode | undefined;
}

/** Whether what stands for a result in digests is wanted, and how much of that. */
export type NodeForm = 'none' | 'unfinished' | 'whole';

/**
 * Encodes what a body gave. Streams are read to their end and put where they may be read again: then it is a promise, which
 * an ordinary result need not wait for.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path from `result` on; what a
 *   stream throws; what `spool` throws.
 */
export function encodeResult(
  result: unknown,
  parts: { readonly codec: Codec; readonly spool: RunHost['spool'] },
  form: NodeForm,
): EncodedResult | Promise<EncodedResult> {
  const { codec } = parts;
  const value = codec.encode(result, { path: PATH, streams: true });
  if (value.valueStreams) return encodeStreams(value, value.valueStreams, parts, form !== 'none');
  if (form === 'none') return { value };
  const large = form === 'unfinished' ? largeParts(value) : undefined;
  const unfinishedNode = large && codec.unfinishedDigestNode?.(result, large, { path: PATH });
  return unfinishedNode
    ? { value, unfinishedNode }
    : { value, node: codec.digestNode(result, { path: PATH }) };
}

/** The parts that a store would keep as blobs, and so hash. */
function largeParts({ buffers }: Encoded): ReadonlyMap<number, Uint8Array> | undefined {
  let large: Map<number, Uint8Array> | undefined;
  for (const [index, bytes] of buffers.entries()) {
    if (bytes.byteLength >= LIMITS.blobBytes) (large ??= new Map()).set(index + 1, bytes);
  }
  return large;
}

const PATH = 'result';

/** What was read of each stream, by the number of its part. */
type StreamContents = ReadonlyMap<number, StoredBlob | Uint8Array>;

/** All streams at once, since one may wait for another. When one fails, the others are ended. */
async function encodeStreams(
  { head, buffers, streams }: EncodedValue,
  valueStreams: readonly ValueStream[],
  { codec, spool }: { readonly codec: Codec; readonly spool: RunHost['spool'] },
  wantsNode: boolean,
): Promise<EncodedResult> {
  // The body may go on while its streams are read, and change what it returned.
  const kept: Uint8Array[] = buffers.map((buffer) => Uint8Array.from(buffer));
  const contents = await spoolAll(valueStreams, spool);
  const blobs = new Map<number, StoredBlob>();
  for (const [part, content] of contents) {
    if (content instanceof Uint8Array) kept[part - 1] = content;
    else blobs.set(part, content);
  }
  const value = { head, buffers: kept, streams, ...(blobs.size > 0 && { blobs }) };
  return { value, node: wantsNode ? nodeOf(value, contents, codec) : undefined };
}

/** Of a copy made of the bytes: the result itself may have changed while its streams were read. */
function nodeOf(value: Encoded, contents: StreamContents, codec: Codec): Uint8Array {
  const copy = codec.decode(value, { copy: true, reference: makeRef });
  const { valueStreams = [] } = codec.encode(copy, { path: PATH, streams: true });
  const streams = new Map(
    valueStreams.map((stream) => [stream.value, digested(contents.get(stream.part) ?? new Uint8Array(0))]),
  );
  return codec.digestNode(copy, { path: PATH, streams });
}

async function spoolAll(streams: readonly ValueStream[], spool: RunHost['spool']): Promise<StreamContents> {
  const failed = new AbortController();
  const read = async ({ part, chunks }: ValueStream): Promise<readonly [number, StoredBlob | Uint8Array]> => [
    part,
    await spool(untilAborted(chunks, failed.signal)),
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
