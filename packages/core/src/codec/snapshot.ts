import type { Encoded } from '../model/encoded.js';

/**
 * A copy of an encoded value whose head and buffers each own a whole ArrayBuffer of their own: it may be kept while the
 * value is changed, and each `buffer` may be transferred to another thread.
 * @public
 */
export function snapshot(encoded: Encoded): Encoded {
  return { head: copyOf(encoded.head), buffers: encoded.buffers.map(copyOf) };
}

function copyOf(bytes: Uint8Array): Uint8Array {
  // Not slice(): that of a Buffer gives a view of the same memory.
  const copy = new Uint8Array(bytes.byteLength);
  copy.set(bytes);
  return copy;
}
