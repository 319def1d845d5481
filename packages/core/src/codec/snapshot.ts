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

function ownOf(bytes: Uint8Array): Uint8Array {
  return takeMoved(bytes) ? bytes : copyOf(bytes);
}

function copyOf(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer gives a view of the same memory.
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}
