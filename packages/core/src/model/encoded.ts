/**
 * A value as bytes: a small head, and the binary parts of the value beside it, so that they are never copied
 * into the head. The order of `buffers` is part of the encoding.
 * @public
 */
export interface Encoded {
  readonly head: Uint8Array;
  readonly buffers: readonly Uint8Array[];
}

/** Number of bytes of a value's head and buffers together. @public */
export function encodedBytes(value: Encoded): number {
  let bytes = value.head.byteLength;
  for (const buffer of value.buffers) bytes += buffer.byteLength;
  return bytes;
}
