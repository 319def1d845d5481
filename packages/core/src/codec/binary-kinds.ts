import { types } from 'node:util';

/** How one class of binary values is made and carried. */
export interface BinaryKind {
  /** Stands for the class in encoded bytes and digests: never change it. */
  readonly code: number;
  readonly name: string;
  readonly prototype: object;
  /** Bytes of one element; offset and length are multiples of it. */
  readonly elementBytes: number;
  /** A value over part of a buffer; offset and length in bytes. */
  make(buffer: ArrayBuffer, byteOffset: number, byteLength: number): ArrayBuffer | ArrayBufferView;
}

interface TypedArrayClass {
  readonly name: string;
  readonly prototype: object;
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
}

function typedArrayKind(Class: TypedArrayClass, code: number): BinaryKind {
  const elementBytes = Class.BYTES_PER_ELEMENT;
  return {
    code,
    name: Class.name,
    prototype: Class.prototype,
    elementBytes,
    make: (buffer, byteOffset, byteLength) => new Class(buffer, byteOffset, byteLength / elementBytes),
  };
}

const TYPED_ARRAYS: readonly TypedArrayClass[] = [
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
];

/** Carried whole: `make` ignores nothing, its caller gives a buffer of exactly that range. */
export const ARRAY_BUFFER: BinaryKind = {
  code: 11,
  name: 'ArrayBuffer',
  prototype: ArrayBuffer.prototype,
  elementBytes: 1,
  make: (buffer) => buffer,
};

export const NODE_BUFFER: BinaryKind = {
  code: 13,
  name: 'Buffer',
  prototype: Buffer.prototype,
  elementBytes: 1,
  make: (buffer, byteOffset, byteLength) => Buffer.from(buffer, byteOffset, byteLength),
};

/** By code. */
export const BINARY_KINDS: readonly BinaryKind[] = [
  ...TYPED_ARRAYS.map(typedArrayKind),
  ARRAY_BUFFER,
  {
    code: 12,
    name: 'DataView',
    prototype: DataView.prototype,
    elementBytes: 1,
    make: (buffer, byteOffset, byteLength) => new DataView(buffer, byteOffset, byteLength),
  },
  NODE_BUFFER,
];

const BY_PROTOTYPE = new Map(BINARY_KINDS.map((kind) => [kind.prototype, kind]));
const BY_NAME = new Map(BINARY_KINDS.map((kind) => [kind.name, kind]));

/**
 * The kind of a binary value; `undefined` for other values and for subclasses.
 * @param foreign - name of the built-in class of another realm that the value is of.
 */
export function binaryKindOf(prototype: object | null, foreign: string | undefined): BinaryKind | undefined {
  if (prototype === null) return undefined;
  return BY_PROTOTYPE.get(prototype) ?? (foreign === undefined ? undefined : BY_NAME.get(foreign));
}

/** Whether a value is what its prototype says: an object may have been given the prototype of a class it is not of. */
export function isBinary(value: object): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value);
}

/** The bytes of a binary value, without copy. */
export function bytesOf(value: ArrayBuffer | ArrayBufferView): Uint8Array {
  if (!ArrayBuffer.isView(value)) return new Uint8Array(value);
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}
