import type { Encoded } from '../model/encoded.js';

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
   * Encodes a value. `buffers` are views of the value's own memory: whoever keeps them past this tick copies
   * them first (see `snapshot`). The head belongs to the caller.
   * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path in the value.
   */
  encode(value: unknown, options?: EncodeOptions): Encoded;

  /**
   * Decodes a value. Typed arrays and buffers in it are views of `encoded.buffers` where their alignment allows;
   * the caller gives up `encoded` unless `copy` is set, which gives the value memory of its own.
   * @throws {@link RoutineEngineError} `BYTES_MALFORMED`, `VALUE_TOO_DEEP` or `SERIALIZER_UNKNOWN`; never anything else,
   *   whatever the bytes are.
   */
  decode(encoded: Encoded, options?: { readonly copy?: boolean }): unknown;

  /**
   * Canonical digest of a value: 64 lower-case hex digits (SHA-256). Independent of key order, of a typed array's
   * offset, of process and platform; different for values a user would call different.
   * @throws as {@link Codec.encode} does.
   */
  digest(value: unknown, options?: EncodeOptions): string;
}
