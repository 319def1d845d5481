import type { Encoded } from '../model/encoded.js';
import type { ReferenceData } from '../model/reference.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { UnfinishedNode } from '../model/unfinished-node.js';

/** What a codec can do beyond the minimum. The engine and the compliance kit read it; nothing else decides. @public */
export interface CodecCapabilities {
  /** Shared references and cycles inside one value arrive as they were. */
  readonly references: boolean;
  /** Binary parts of a value travel beside the head instead of inside it. */
  readonly outOfBand: boolean;
}

/** How one call of {@link Codec.encode} or {@link Codec.digest} is to be done. @public */
export interface EncodeOptions {
  /** How errors name the value itself, such as `args`; paths inside it follow (`args[0].model.fit`). Default `value`. */
  readonly path?: string;
}

/** How one call of {@link Codec.encode} is to be done. @public */
export interface EncodeValueOptions extends EncodeOptions {
  /** Whether the value may hold streams: a web `ReadableStream` or an async iterable. Default no: they are refused. */
  readonly streams?: boolean;
}

/** A stream in a value that was encoded; its bytes are yet to be read. @public */
export interface ValueStream {
  /** The stream itself, as it stands in the value. */
  readonly value: object;
  /** Where it stands, such as `result.log`. */
  readonly path: string;
  /** Number of the part that it is in the encoded value; see {@link Encoded.blobs}. */
  readonly part: number;
  /**
   * Its chunks. Fails with `VALUE_NOT_ENCODABLE`, naming the path, when one is no Uint8Array. Read once; ending it early
   * cancels the stream.
   */
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** What {@link Codec.encode} gives. @public */
export interface EncodedValue extends Encoded {
  /** The streams in the value, in the order of the value; absent when there is none. The buffer of each is empty. */
  readonly valueStreams?: readonly ValueStream[];
  /** Keys of the serializers that decoding it takes, each once; absent for none. */
  readonly serializers?: readonly string[] | undefined;
}

/** How one call of {@link Codec.decode} is to be done. @public */
export interface DecodeOptions {
  /** Gives the value memory of its own; buffers over shared memory are copied in any case. Default no. */
  readonly copy?: boolean;
  /** What takes the place of a reference. Default: a reference is refused with `BYTES_MALFORMED`. */
  readonly reference?: (data: ReferenceData) => unknown;
}

/** How one call of {@link Codec.digestNode} is to be done. @public */
export interface DigestNodeOptions extends EncodeOptions {
  /** The content of each stream in the value, by {@link ValueStream.value}. A stream without is refused. */
  readonly streams?: ReadonlyMap<object, Pick<StoredBlob, 'digest' | 'byteLength'>>;
}

/**
 * Turns values into bytes and back, and gives canonical digests.
 *
 * A value arrives equal or is refused: everything structured clone can carry, Errors with their class name and
 * cause, shared references and cycles, and class instances that a registered serializer claims.
 * @public
 */
export interface Codec {
  /** Short name that two nodes compare in their handshake, such as `msgpackr-1`: equal names mean equal bytes. */
  readonly name: string;
  readonly capabilities: CodecCapabilities;
  /** Keys of the registered serializers, sorted; announced in the handshake. */
  readonly serializers: readonly string[];

  /**
   * Encodes a value; a {@link Reference} in it is carried as such. `buffers` are views of the value's own memory: whoever keeps them past this tick copies
   * them first (see `snapshot`). The head belongs to the caller.
   * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path in the value.
   */
  encode(value: unknown, options?: EncodeValueOptions): EncodedValue;

  /**
   * Decodes a value of which everything but its streams is in memory. Typed arrays and buffers in it are views of
   * `encoded.buffers` where their alignment allows; the caller gives up `encoded` unless `copy` is set, which gives the
   * value memory of its own. A stream reads its part when it is read itself.
   * @throws {@link RoutineEngineError} `BYTES_MALFORMED`, `VALUE_TOO_DEEP` or `SERIALIZER_UNKNOWN`; never anything else,
   *   whatever the bytes are.
   */
  decode(encoded: Encoded, options?: DecodeOptions): unknown;

  /**
   * The references in an encoded value, each key once, without decoding it.
   * @throws as {@link Codec.decode} does.
   */
  references(encoded: Encoded): readonly ReferenceData[];

  /**
   * Number of the part that is all of the content, when the value itself is bytes: a typed array, an ArrayBuffer, a
   * DataView, a Buffer or a stream. `undefined` for any other value.
   * @throws as {@link Codec.decode} does.
   */
  contentPart(encoded: Encoded): number | undefined;

  /**
   * Canonical digest of a value: 64 lower-case hex digits (SHA-256). Independent of key order, of a typed array's
   * offset, of process and platform; different for values a user would call different.
   * @throws as {@link Codec.encode} does.
   */
  digest(value: unknown, options?: EncodeOptions): string;

  /**
   * What stands for a value in the digest of a value that holds it: at most 4,096 bytes. A reference with this node digests
   * as the value itself.
   * @throws as {@link Codec.encode} does.
   */
  digestNode(value: unknown, options?: DigestNodeOptions): Uint8Array;

  /**
   * As {@link Codec.digestNode} of a value without streams, but parts of the value need not be read: whoever stores them makes
   * their SHA-256 anyway, which then belongs into the gaps of the node. Absent in a codec whose digests hold no such hashes:
   * then everything is read at once.
   * @param parts - by number (0 is the head, then the buffers): from {@link Codec.encode} of the same value, the same views of
   *   its memory.
   * @throws as {@link Codec.encode} does.
   */
  unfinishedDigestNode?(
    value: unknown,
    parts: ReadonlyMap<number, Uint8Array>,
    options?: EncodeOptions,
  ): UnfinishedNode;
}
