import { DigestSink } from './digest-sink.js';
import { CYCLE, DigestWalk, type StreamContents } from './digest-walk.js';
import type { ValueReader } from './value-reader.js';

/** Tag of the digest of a value with a cycle. */
const GRAPH = 0x47;

/** Sinks that wait for the next digest. More than one, since a serializer may ask for a digest within one. */
const idleSinks: DigestSink[] = [];

/** Canonical digest of a value; 64 lower-case hex digits. */
export function digestOf(value: unknown, reader: ValueReader): string {
  return digested(
    (sink) => new DigestWalk(reader, sink, undefined, undefined).digest(value),
    (sink) => new DigestWalk(reader, sink, new Map(), undefined).digest(value),
  );
}

/** What stands for a value in the digest of one that holds it; see {@link Codec.digestNode}. */
export function digestNodeOf(value: unknown, reader: ValueReader, streams: StreamContents): Uint8Array {
  return digested(
    (sink) => new DigestWalk(reader, sink, undefined, streams).node(value),
    (sink) => {
      const digest = new DigestWalk(reader, sink, new Map(), streams).digest(value);
      return Uint8Array.of(GRAPH, ...Buffer.from(digest, 'hex'));
    },
  );
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
