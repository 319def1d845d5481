import { createHash } from 'node:crypto';
import { referenceData } from '../../src/model/reference.js';
import type { Serializer } from '../../src/ports/serializer.js';

/*
 * The canonical digest a second time, written from docs/digest.md and from nothing of the codec: small and slow. It
 * knows values of this realm only, and refuses nothing but what it does not know.
 */

/** Length and SHA-256 of what streams give. */
export type StreamContents = ReadonlyMap<object, { readonly byteLength: number; readonly digest: string }>;

/** Bytes as they are, or a value that its node stands for. */
type Piece = Uint8Array | { readonly part: unknown };

const BINARY_CODES = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  ArrayBuffer,
  DataView,
  Buffer,
] as const;
const LONGEST_NODE = 4096;

/** What the value and all in it are made of. */
interface Context {
  readonly serializers: readonly Serializer[];
  readonly streams: StreamContents;
  /** In mode g, the number of each container. */
  readonly numbers?: Map<object, number>;
}

const NO_STREAMS: StreamContents = new Map();

/** The bytes whose SHA-256 is the digest of a value. */
export function canonicalBytes(
  value: unknown,
  serializers: readonly Serializer[] = [],
  streams = NO_STREAMS,
): Buffer {
  const context = contextOf(value, serializers, streams);
  const mode = tag(context.numbers ? 'g' : 't');
  return Buffer.concat([text('routine-engine/digest/1'), mode, node(value, context)]);
}

/** What stands for a value where a reference to it stands. */
export function referenceNode(
  value: unknown,
  serializers: readonly Serializer[] = [],
  streams = NO_STREAMS,
): Buffer {
  const context = contextOf(value, serializers, streams);
  if (!context.numbers) return node(value, context);
  return Buffer.concat([tag('G'), sha256(canonicalBytes(value, serializers, streams))]);
}

/** The digest of a value as docs/digest.md defines it. */
export function referenceDigest(value: unknown, serializers: readonly Serializer[] = []): string {
  return sha256(canonicalBytes(value, serializers)).toString('hex');
}

function contextOf(value: unknown, serializers: readonly Serializer[], streams: StreamContents): Context {
  const context = { serializers, streams };
  return holdsItself(value, [], context) ? { ...context, numbers: new Map() } : context;
}

function holdsItself(value: unknown, around: readonly object[], context: Context): boolean {
  if (typeof value !== 'object' || value === null || referenceData(value)) return false;
  if (around.includes(value)) return true;
  return piecesOf(value, context).some(
    (piece) => 'part' in piece && holdsItself(piece.part, [...around, value], context),
  );
}

function node(value: unknown, context: Context): Buffer {
  if (typeof value !== 'object' || value === null) return scalar(value);
  const reference = referenceData(value);
  if (reference) return Buffer.from(reference.node);
  const { numbers } = context;
  const number = numbers?.get(value);
  if (number !== undefined) return Buffer.concat([tag('c'), uint32(number)]);
  numbers?.set(value, numbers.size);
  const pieces = piecesOf(value, context);
  return folded(pieces.map((piece) => ('part' in piece ? node(piece.part, context) : piece)));
}

function scalar(value: unknown): Buffer {
  if (value === null) return tag('n');
  switch (typeof value) {
    case 'undefined':
      return tag('u');
    case 'boolean':
      return tag(value ? 't' : 'f');
    case 'number':
      return Buffer.concat([tag('d'), float64(value)]);
    case 'bigint':
      return Buffer.concat([tag('i'), text(value.toString(16))]);
    case 'string':
      return text(value);
    default:
      throw new TypeError(`A ${typeof value} has no digest`);
  }
}

function piecesOf(value: object, context: Context): Piece[] {
  const prototype = Object.getPrototypeOf(value) as object | null;
  const code = BINARY_CODES.findIndex((Class) => Class.prototype === prototype);
  if (code >= 0) return binary(value as ArrayBuffer | ArrayBufferView, code);
  if (prototype === Object.prototype) return [tag('O'), ...entries(value, Object.keys(value))];
  switch (prototype) {
    case null:
      return [tag('P'), ...entries(value, Object.keys(value))];
    case Array.prototype:
      return items(value as unknown[]);
    case Map.prototype: {
      const map = value as Map<unknown, unknown>;
      return [tag('M'), uint32(map.size), ...[...map].flat().map((part) => ({ part }))];
    }
    case Set.prototype: {
      const set = value as Set<unknown>;
      return [tag('S'), uint32(set.size), ...[...set].map((part) => ({ part }))];
    }
    case Date.prototype:
      return [tag('D'), float64((value as Date).getTime())];
    case RegExp.prototype: {
      const { source, flags, lastIndex } = value as RegExp;
      return [tag('R'), text(source), text(flags), float64(lastIndex)];
    }
    case URL.prototype:
      return [tag('L'), text((value as URL).href)];
    case Boolean.prototype:
    case Number.prototype:
    case String.prototype:
    case BigInt.prototype:
      return [tag('W'), { part: value.valueOf() }];
    default:
      return instance(value, context);
  }
}

function instance(value: object, { serializers, streams }: Context): Piece[] {
  const serializer = serializers.find((one) => one.claims(value));
  if (serializer) return [tag('X'), text(serializer.key), { part: serializer.serialize(value) }];
  const content = streams.get(value);
  if (content) {
    const kind = tag(value instanceof ReadableStream ? 'w' : 'i');
    return [tag('Y'), kind, float64(content.byteLength), Buffer.from(content.digest, 'hex')];
  }
  if (!(value instanceof Error)) throw new TypeError(`No serializer for ${value.constructor.name}`);
  const { name, message } = value;
  const className = name !== '' && name !== 'Error' ? name : value.constructor.name;
  const keys = Object.keys(value).filter((key) => !['name', 'message', 'stack'].includes(key));
  const hidden = ['cause', 'errors'].filter((key) => Object.hasOwn(value, key) && !keys.includes(key));
  return [tag('E'), text(className), text(message), ...entries(value, [...keys, ...hidden])];
}

function items(array: readonly unknown[]): Piece[] {
  const pieces: Piece[] = [tag('A'), uint32(array.length)];
  let next = 0;
  const holesUpTo = (index: number): void => {
    if (index > next) pieces.push(tag('h'), uint32(index - next));
    next = index + 1;
  };
  for (const key of Object.keys(array)) {
    holesUpTo(Number(key));
    pieces.push({ part: array[Number(key)] });
  }
  holesUpTo(array.length);
  return pieces;
}

function entries(object: object, keys: readonly string[]): Piece[] {
  const sorted = keys.toSorted((one, other) => (one < other ? -1 : 1));
  const parts = sorted.flatMap((key) => [text(key), { part: (object as Record<string, unknown>)[key] }]);
  return [uint32(keys.length), ...parts];
}

function binary(value: ArrayBuffer | ArrayBufferView, code: number): Piece[] {
  const bytes = ArrayBuffer.isView(value)
    ? Buffer.from(value.buffer, value.byteOffset, value.byteLength)
    : Buffer.from(value);
  const content = bytes.length > LONGEST_NODE ? sha256(bytes) : bytes;
  return [tag('B'), Buffer.of(code), float64(bytes.length), content];
}

function text(value: string): Buffer {
  const isUtf8 = !/\p{Surrogate}/u.test(value);
  const bytes = Buffer.from(value, isUtf8 ? 'utf8' : 'utf16le');
  return folded([tag(isUtf8 ? 's' : 'w'), float64(bytes.length), bytes]);
}

function folded(parts: readonly Uint8Array[]): Buffer {
  const bytes = Buffer.concat(parts);
  return bytes.length > LONGEST_NODE ? Buffer.concat([tag('#'), sha256(bytes)]) : bytes;
}

function tag(letter: string): Buffer {
  return Buffer.from(letter, 'latin1');
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function float64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  if (Number.isNaN(value)) bytes.set([0xf8, 0x7f], 6);
  else bytes.writeDoubleLE(value);
  return bytes;
}

function sha256(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes).digest();
}
