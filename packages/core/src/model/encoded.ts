import type { StoredBlob } from './stored-blob.js';

/**
 * A value as bytes: a small head, and the binary parts of the value beside it, so that they are never copied
 * into the head. The order of `buffers` is part of the encoding.
 * @public
 */
export interface Encoded {
  readonly head: Uint8Array;
  readonly buffers: readonly Uint8Array[];
  /** How many of the last buffers are streams in the value. Default 0. */
  readonly streams?: number | undefined;
  /**
   * Parts that are not in memory, by their number: 0 is the head, then the buffers. Where one stands, `head` or the buffer
   * is empty. Absent: everything is in memory.
   */
  readonly blobs?: ReadonlyMap<number, StoredBlob> | undefined;
  /**
   * Nobody else holds the buffers, and each owns its whole memory unless that is shared: whoever is given the value may
   * transfer them away. Absent: others may need them too.
   */
  readonly isOwn?: true | undefined;
}

/** Number of bytes of a value's head and buffers together, those that are not in memory too. @public */
export function encodedBytes(value: Encoded): number {
  let bytes = value.head.byteLength;
  for (const buffer of value.buffers) bytes += buffer.byteLength;
  for (const blob of value.blobs?.values() ?? []) bytes += blob.byteLength;
  return bytes;
}

/** Whether everything of a value but its streams is in memory, so that it can be decoded. @public */
export function isLoaded({ buffers, streams = 0, blobs }: Encoded): boolean {
  if (!blobs) return true;
  for (const part of blobs.keys()) if (part <= buffers.length - streams) return false;
  return true;
}
