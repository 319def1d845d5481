import { gunzipSync, gzipSync } from 'node:zlib';
import {
  RoutineEngineError,
  type Codec,
  type DecodeOptions,
  type DigestNodeOptions,
  type Encoded,
  type EncodedValue,
  type EncodeOptions,
  type EncodeValueOptions,
  type ReferenceData,
} from '@routine-engine/core/adapter';

/** Shorter heads are not worth the work, in bytes. */
const LEAST_BYTES = 1_024;
/** A longer head is refused, in bytes: a few bytes could become any number. */
const MOST_BYTES = 256 * 1_024 * 1_024;
/** The first byte of a head says what the others are. */
const PLAIN = 0;
const GZIP = 1;

/**
 * A codec around another one. The head of a value, with all that is no large bytes, is compressed; buffers go as they are. The
 * digest is that of the value, whatever its bytes are: so results stay known when the codec changes.
 */
export class GzipCodec implements Codec {
  readonly name: string;
  readonly capabilities;
  readonly #inner: Codec;

  constructor(inner: Codec) {
    this.#inner = inner;
    // Nodes compare it: equal names mean equal bytes.
    this.name = `gzip-${inner.name}`;
    this.capabilities = inner.capabilities;
  }

  get serializers(): readonly string[] {
    return this.#inner.serializers;
  }

  encode(value: unknown, options?: EncodeValueOptions): EncodedValue {
    const encoded = this.#inner.encode(value, options);
    return { ...encoded, head: packed(encoded.head) };
  }

  decode(encoded: Encoded, options?: DecodeOptions): unknown {
    return this.#inner.decode(plain(encoded), options);
  }

  references(encoded: Encoded): readonly ReferenceData[] {
    return this.#inner.references(plain(encoded));
  }

  contentPart(encoded: Encoded): number | undefined {
    return this.#inner.contentPart(plain(encoded));
  }

  digest(value: unknown, options?: EncodeOptions): string {
    return this.#inner.digest(value, options);
  }

  digestNode(value: unknown, options?: DigestNodeOptions): Uint8Array {
    return this.#inner.digestNode(value, options);
  }
}

function packed(head: Uint8Array): Uint8Array {
  const short = head.byteLength < LEAST_BYTES ? head : gzipSync(head);
  const isShorter = short.byteLength < head.byteLength;
  const bytes = isShorter ? short : head;
  const all = new Uint8Array(1 + bytes.byteLength);
  all[0] = isShorter ? GZIP : PLAIN;
  all.set(bytes, 1);
  return all;
}

/** @throws `BYTES_MALFORMED`, whatever the bytes are. */
function plain(encoded: Encoded): Encoded {
  const [form] = encoded.head;
  const bytes = encoded.head.subarray(1);
  if (form === PLAIN) return { ...encoded, head: bytes };
  if (form !== GZIP) throw malformed('begins with no form that there is');
  try {
    return { ...encoded, head: gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) };
  } catch (cause) {
    throw malformed((cause as Error).message, cause);
  }
}

function malformed(why: string, cause?: unknown): RoutineEngineError {
  return new RoutineEngineError('BYTES_MALFORMED', `The head of a value can't be read: ${why}`, { cause });
}
