import { createHash } from 'node:crypto';
import type { Serializer } from '../../src/ports/serializer.js';

/*
 * The canonical digest a second time, written from docs/digest.md and from nothing of the codec: small and slow. It
 * knows values of this realm only, and refuses nothing but what it does not know.
 */

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

/** The bytes whose SHA-256 is the digest of a value. */
export function canonicalBytes(value: unknown, serializers: readonly Serializer[] = []): Buffer {
  const isGraph = holdsItself(value, [], serializers);
  const numbers = isGraph ? new Map<object, number>() : undefined;
  return Buffer.concat([
    text('routine-engine/digest/1'),
    tag(isGraph ? 'g' : 't'),
    node(value, numbers, serializers),
  ]);
}

/** The digest of a value as docs/digest.md defines it. */
export function referenceDigest(value: unknown, serializers: readonly Serializer[] = []): string {
  return sha256(canonicalBytes(value, serializers)).toString('hex');
}

function holdsItself(value: unknown, around: readonly object[], serializers: readonly Serializer[]): boolean {
  if (typeof value !== 'object' || value === null) return false;
  if (around.includes(value)) return true;
  return piecesOf(value, serializers).some(
    (piece) => 'part' in piece && holdsItself(piece.part, [...around, value], serializers),
  );
}

function node(
  value: unknown,
  numbers: Map<object, number> | undefined,
  serializers: readonly Serializer[],
): Buffer {
  if (typeof value !== 'object' || value === null) return scalar(value);
  const number = numbers?.get(value);
  if (number !== undefined) return Buffer.concat([tag('c'), uint32(number)]);
  numbers?.set(value, numbers.size);
  const pieces = piecesOf(value, serializers);
  return folded(pieces.map((piece) => ('part' in piece ? node(piece.part, numbers, serializers) : piece)));
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

function piecesOf(value: object, serializers: readonly Serializer[]): Piece[] {
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
      return instance(value, serializers);
  }
}

function instance(value: object, serializers: readonly Serializer[]): Piece[] {
  const serializer = serializers.find((one) => one.claims(value));
  if (serializer) return [tag('X'), text(serializer.key), { part: serializer.serialize(value) }];
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
  return [tag('B'), Buffer.of(code), float64(bytes.length), bytes];
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
