import { endianness } from 'node:os';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { Codec, CodecCapabilities, EncodeOptions } from '../ports/codec.js';
import type { Serializer } from '../ports/serializer.js';
import { BinaryReader } from './binary-reader.js';
import { DecodeWalk } from './decode-walk.js';
import { digestOf } from './digest-walk.js';
import { EncodeWalk } from './encode-walk.js';
import { pack, unpack } from './msgpack.js';
import { TREE_BYTE } from './node-tags.js';
import { malformed, notEncodable } from './refusals.js';
import { scan } from './scan.js';
import { SerializerRegistry } from './serializer-registry.js';
import { isSimple } from './simple-values.js';
import { ValueReader } from './value-reader.js';

const DEFAULT_PATH = 'value';
/** Containers nest in a tree as they do in its value; in the deepest of them a primitive may be a node. */
const TREE_DEPTH = LIMITS.valueDepth + 1;
const NO_BUFFERS: readonly Uint8Array[] = Object.freeze([]);

/**
 * The codec of this project, on msgpackr. Carries what {@link Codec} promises; the bytes are described in
 * `node-tags.ts`.
 *
 * Carried exactly: undefined, null, booleans, numbers (NaN, -0 and infinities among them), bigints, strings (lone
 * surrogates among them), Date, RegExp, Map, Set, arrays with or without holes, plain objects and objects without a
 * prototype, ArrayBuffer, DataView, typed arrays, Buffer, URL, boxed primitives, and instances that a serializer claims.
 * Errors keep class name, message, stack, `cause` and own properties; a class that is not one of the language arrives
 * as an Error of that name. Values that share memory still do; an ArrayBuffer that is not part of the value itself
 * may arrive shorter, without the bytes that no view in the value shows. A getter of a plain object is carried as the
 * value it gives. Everything else is refused.
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

  encode(value: unknown, options?: EncodeOptions): Encoded {
    const path = options?.path ?? DEFAULT_PATH;
    try {
      if (isSimple(value)) return { head: pack(value), buffers: NO_BUFFERS };
      const { tree, buffers } = new EncodeWalk(new ValueReader(this.#registry, path)).encode(value);
      return { head: pack(tree, TREE_BYTE), buffers };
    } catch (error) {
      throw asRefusal(error, path);
    }
  }

  decode(encoded: Encoded, options?: { readonly copy?: boolean }): unknown {
    const { head, buffers } = encoded;
    try {
      if (head[0] === TREE_BYTE) return this.#decodeTree(head, buffers, options?.copy === true);
      scan(head, 0, LIMITS.valueDepth);
      if (buffers.length > 0) throw malformed(`${buffers.length} buffers that no value asks for`);
      return unpack(head, 0);
    } catch (error) {
      if (error instanceof RoutineEngineError) throw error;
      throw malformed('they could not be read', error);
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

  #decodeTree(head: Uint8Array, buffers: readonly Uint8Array[], copy: boolean): unknown {
    scan(head, 1, TREE_DEPTH);
    return new DecodeWalk(this.#registry, new BinaryReader(buffers, copy)).decode(unpack(head, 1));
  }
}

/** What else may be thrown on the way: by a getter of the value, or because its text is longer than memory can be. */
function asRefusal(error: unknown, path: string): RoutineEngineError {
  if (error instanceof RoutineEngineError) return error;
  return notEncodable(path, 'a value that could not be read or packed', 'see the cause', error);
}
