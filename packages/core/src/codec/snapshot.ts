import type { Encoded } from '../model/encoded.js';
import { takeMoved } from './move.js';

/**
 * The same encoded value with buffers that each own a whole ArrayBuffer of their own: it may be kept while the value is
 * changed, and each `buffer` may be transferred to another thread. What was given up by `move` is not copied. The head is
 * no view of the value: it stays, and so do parts that are not in memory.
 * @public
 */
export function snapshot(encoded: Encoded): Encoded {
  return encoded.buffers.length === 0 ? encoded : { ...encoded, buffers: encoded.buffers.map(ownOf) };
}

/** What {@link snapshotInParts} gives. */
export interface PartedSnapshot {
  /** As a snapshot; empty where a long part belongs. */
  readonly own: Encoded;
  /** By the number of the part (0 is the head), views of the value: to be copied before anybody can change it. */
  readonly long: ReadonlyMap<number, Uint8Array> | undefined;
}

/** As {@link snapshot}, but what would take long to copy stays to be copied. @param longBytes - from which length. */
export function snapshotInParts(encoded: Encoded, longBytes: number): PartedSnapshot {
  const long = new Map<number, Uint8Array>();
  const buffers = encoded.buffers.map((bytes, index) => {
    // Once: what was moved is given away by being asked for.
    if (takeMoved(bytes)) return bytes;
    if (bytes.byteLength < longBytes) return copyOf(bytes);
    long.set(index + 1, bytes);
    return EMPTY;
  });
  return { own: { ...encoded, buffers }, long: long.size > 0 ? long : undefined };
}

const EMPTY = new Uint8Array(0);

function ownOf(bytes: Uint8Array): Uint8Array {
  return takeMoved(bytes) ? bytes : copyOf(bytes);
}

function copyOf(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer gives a view of the same memory.
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}
