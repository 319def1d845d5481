import type { UnfinishedNode } from '../model/unfinished-node.js';
import { DigestSink, HASHED_GAP } from './digest-sink.js';
import { CYCLE, DigestWalk, type StreamContents } from './digest-walk.js';
import { LargeBytes } from './large-bytes.js';
import type { ValueReader } from './value-reader.js';

/** Tag of the digest of a value with a cycle. */
const GRAPH = 0x47;

const NO_STREAMS: StreamContents = new Map();

/** Sinks that wait for the next digest. More than one, since a serializer may ask for a digest within one. */
const idleSinks: DigestSink[] = [];

/** Canonical digest of a value; 64 lower-case hex digits. */
export function digestOf(value: unknown, reader: ValueReader): string {
  const large = new LargeBytes();
  return digested(
    (sink) => new DigestWalk(reader, sink, undefined, undefined, large).digest(value),
    (sink) => new DigestWalk(reader, sink, new Map(), undefined, large).digest(value),
  );
}

/** What stands for a value in the digest of one that holds it; see {@link Codec.digestNode}. */
export function digestNodeOf(
  value: unknown,
  reader: ValueReader,
  streams: StreamContents = NO_STREAMS,
): Uint8Array {
  const large = new LargeBytes();
  return digested(
    (sink) => new DigestWalk(reader, sink, undefined, streams, large).node(value),
    (sink) => {
      const digest = new DigestWalk(reader, sink, new Map(), streams, large).digest(value);
      return Uint8Array.of(GRAPH, ...Buffer.from(digest, 'hex'));
    },
  );
}

/** As {@link digestNodeOf}, with gaps where a part would have to be hashed; see {@link Codec.unfinishedDigestNode}. */
export function unfinishedNodeOf(
  value: unknown,
  reader: ValueReader,
  parts: ReadonlyMap<number, Uint8Array>,
): UnfinishedNode {
  const whole = (): UnfinishedNode => ({ bytes: digestNodeOf(value, reader), gaps: [] });
  const large = new LargeBytes(parts);
  try {
    return digested((sink) => {
      const bytes = new DigestWalk(reader, sink, undefined, NO_STREAMS, large).node(value);
      return { bytes, gaps: sink.gaps };
    }, whole);
  } catch (error) {
    if (error !== HASHED_GAP) throw error;
    return whole();
  }
}

/** What a walk in mode t gives, or one in mode g when the value turns out to hold itself. */
function digested<Result>(tree: (sink: DigestSink) => Result, graph: (sink: DigestSink) => Result): Result {
  const sink = idleSinks.pop() ?? new DigestSink();
  try {
    try {
      return tree(sink);
    } catch (error) {
      if (error !== CYCLE) throw error;
      return graph(sink);
    }
  } finally {
    if (sink.isSmall) idleSinks.push(sink);
  }
}
