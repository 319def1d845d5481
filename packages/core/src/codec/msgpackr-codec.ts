import { endianness } from 'node:os';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { type Encoded, isLoaded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { ReferenceData } from '../model/reference.js';
import type { UnfinishedNode } from '../model/unfinished-node.js';
import type {
  Codec,
  CodecCapabilities,
  DecodeOptions,
  DigestNodeOptions,
  EncodedValue,
  EncodeOptions,
  EncodeValueOptions,
} from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import { BinaryReader } from './binary-reader.js';
import { DecodeWalk } from './decode-walk.js';
import { digestNodeOf, digestOf, unfinishedNodeOf } from './digest.js';
import { EncodeWalk } from './encode-walk.js';
import { pack, unpack } from './msgpack.js';
import { TREE_BYTE } from './node-tags.js';
import { ReferencePlaces, referencesOf } from './reference-nodes.js';
import { malformed, notEncodable } from './refusals.js';
import { scan } from './scan.js';
import { SerializerRegistry } from './serializer-registry.js';
import { isSimple } from './simple-values.js';
import { StreamParts } from './stream-parts.js';
import { contentPartOf, hasReferences, readRoot } from './tree-root.js';
import { ValueReader } from './value-reader.js';

const DEFAULT_PATH = 'value';
const NO_BUFFERS: readonly Uint8Array[] = Object.freeze([]);
const NO_REFERENCES: readonly ReferenceData[] = Object.freeze([]);

/**
 * The codec of this project, on msgpackr. Carries what {@link Codec} promises; the bytes are described in
 * `node-tags.ts`.
 *
 * It is what a lifecycle has unless a plugin brings another one, such as one that compresses or encrypts around it.
 *
 * Carried exactly: undefined, null, booleans, numbers (NaN, -0 and infinities among them), bigints, strings (lone
 * surrogates among them), Date, RegExp, Map, Set, arrays with or without holes, plain objects and objects without a
 * prototype, ArrayBuffer, DataView, typed arrays, Buffer, URL, boxed primitives, and instances that a serializer claims.
 * Errors keep class name, message, stack, `cause` and own properties; a class that is not one of the language arrives
 * as an Error of that name. Values that share memory still do; an ArrayBuffer that is not part of the value itself
 * may arrive shorter, without the bytes that no view in the value shows. A getter of a plain object is carried as the
 * value it gives. Everything else is refused.
 *
 * A {@link Reference} is carried as what it names, and streams in a result as parts that are read later: a web
 * `ReadableStream` arrives as one, any other async iterable as an async generator.
 * @public
 */
export class MsgpackrCodec implements Codec {
  readonly name = 'msgpackr-1';
  readonly capabilities: CodecCapabilities = { references: true, outOfBand: true };
  readonly #registry: SerializerRegistry;

  /**
   * @param options - `serializers` are asked in their order.
   * @throws {@link RoutineEngineError} `SERIALIZER_DUPLICATE`, or `OPTION_INVALID` for a key that is not 1 to 200
   *   characters long or on a machine whose numbers are big-endian.
   */
  constructor(options: { serializers?: readonly Serializer[] } = {}) {
    if (endianness() !== 'LE') {
      throw new RoutineEngineError(
        'OPTION_INVALID',
        'MsgpackrCodec carries typed arrays as little-endian memory',
      );
    }
    this.#registry = new SerializerRegistry(options.serializers ?? []);
  }

  get serializers(): readonly string[] {
    return this.#registry.keys;
  }

  encode(value: unknown, options?: EncodeValueOptions): EncodedValue {
    const path = options?.path ?? DEFAULT_PATH;
    try {
      if (isSimple(value)) return { head: pack(value), buffers: NO_BUFFERS };
      const reader = new ValueReader(this.#registry, path);
      const walk = new EncodeWalk(reader, options?.streams === true);
      const { tree, buffers, streams } = walk.encode(value);
      const head = pack(tree, TREE_BYTE);
      const { serializers } = reader;
      if (streams) return { head, buffers, streams: streams.length, valueStreams: streams, serializers };
      return serializers ? { head, buffers, serializers } : { head, buffers };
    } catch (error) {
      throw asRefusal(error, path);
    }
  }

  decode(encoded: Encoded, options?: DecodeOptions): unknown {
    const { head, buffers } = encoded;
    try {
      if (head[0] === TREE_BYTE) return this.#decodeTree(encoded, options);
      scan(head, 0, LIMITS.valueDepth);
      if (buffers.length > 0) throw malformed(`${buffers.length} buffers that no value asks for`);
      return unpack(head, 0);
    } catch (error) {
      throw asMalformed(error);
    }
  }

  references({ head }: Encoded): readonly ReferenceData[] {
    if (!hasReferences(head)) return NO_REFERENCES;
    try {
      const byKey = new Map<string, ReferenceData>();
      for (const data of referencesOf(readRoot(head).references)) {
        if (!byKey.has(data.key)) byKey.set(data.key, data);
      }
      return [...byKey.values()];
    } catch (error) {
      throw asMalformed(error);
    }
  }

  contentPart(encoded: Encoded): number | undefined {
    if (encoded.head[0] !== TREE_BYTE) return undefined;
    try {
      return contentPartOf(encoded);
    } catch (error) {
      throw asMalformed(error);
    }
  }

  digest(value: unknown, options?: EncodeOptions): string {
    const path = options?.path ?? DEFAULT_PATH;
    try {
      return digestOf(value, new ValueReader(this.#registry, path));
    } catch (error) {
      throw asRefusal(error, path);
    }
  }

  digestNode(value: unknown, options?: DigestNodeOptions): Uint8Array {
    const path = options?.path ?? DEFAULT_PATH;
    try {
      return digestNodeOf(value, new ValueReader(this.#registry, path), options?.streams);
    } catch (error) {
      throw asRefusal(error, path);
    }
  }

  unfinishedDigestNode(
    value: unknown,
    parts: ReadonlyMap<number, Uint8Array>,
    options?: EncodeOptions,
  ): UnfinishedNode {
    const path = options?.path ?? DEFAULT_PATH;
    try {
      return unfinishedNodeOf(value, new ValueReader(this.#registry, path), parts);
    } catch (error) {
      throw asRefusal(error, path);
    }
  }

  #decodeTree(encoded: Encoded, options: DecodeOptions | undefined): unknown {
    const { references, streams, tree } = readRoot(encoded.head);
    if (streams > 0 || encoded.streams || encoded.blobs) checkParts(encoded, streams);
    const { buffers } = encoded;
    const copy = options?.copy === true;
    const parts = {
      binary: new BinaryReader(streams > 0 ? buffers.slice(0, -streams) : buffers, copy),
      streams: streams > 0 ? new StreamParts(encoded, streams) : undefined,
      references: references === undefined ? undefined : placesOf(references, options),
    };
    return new DecodeWalk(this.#registry, parts).decode(tree);
  }
}

/** Refuses parts of which the head says otherwise. */
function checkParts(encoded: Encoded, streams: number): void {
  const isRight = streams <= encoded.buffers.length && streams === (encoded.streams ?? streams);
  if (!isRight) throw malformed(`${streams} streams that are not there`);
  if (!isLoaded({ ...encoded, streams })) throw malformed('a part is not in memory');
}

function placesOf(references: unknown, options: DecodeOptions | undefined): ReferencePlaces {
  const data = referencesOf(references);
  if (options?.reference) return new ReferencePlaces(data, options.reference);
  throw malformed('a reference where none may be; they belong in arguments and results of routines');
}

/** What else may be thrown on the way: by msgpackr and the language, about what cannot be made. */
function asMalformed(error: unknown): RoutineEngineError {
  return error instanceof RoutineEngineError ? error : malformed('they could not be read', error);
}

/** What else may be thrown on the way: by a getter of the value, or because its text is longer than memory can be. */
function asRefusal(error: unknown, path: string): RoutineEngineError {
  if (error instanceof RoutineEngineError) return error;
  return notEncodable(path, 'a value that could not be read or packed', 'see the cause', error);
}
