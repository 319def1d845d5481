import type { Encoded } from '../model/encoded.js';
import type { Clock } from '../ports/clock.js';

/** What is copied in one turn of the loop: no heartbeat waits longer than that takes (about 1 ms). */
const SLICE_BYTES = 2 * 1024 * 1024;
/** Buffers of together less than this are copied at once. */
const LONG_BYTES = 8 * SLICE_BYTES;

/** Whether a value for a thread takes so long to copy that other work should go on meanwhile. */
export function isLongToCopy({ buffers, isOwn }: Encoded): boolean {
  if (isOwn) return false;
  let bytes = 0;
  for (const buffer of buffers) if (!isShared(buffer)) bytes += buffer.byteLength;
  return bytes >= LONG_BYTES;
}

/**
 * The same value with buffers of its own; shared memory stays. It is copied slice by slice, one a turn of the loop: the
 * value must not change until then.
 * @throws RangeError when there is no memory for it.
 */
export async function copyInTurns(value: Encoded, clock: Clock): Promise<Encoded> {
  const buffers: Uint8Array[] = [];
  for (const buffer of value.buffers) {
    buffers.push(isShared(buffer) ? buffer : await copyOf(buffer, clock));
  }
  return { ...value, buffers, isOwn: true };
}

async function copyOf(bytes: Uint8Array, clock: Clock): Promise<Uint8Array> {
  const copy = new Uint8Array(bytes.byteLength);
  for (let at = 0; at < bytes.byteLength; at += SLICE_BYTES) {
    if (at > 0) await new Promise<void>((resolve) => clock.nextTurn(resolve));
    copy.set(bytes.subarray(at, at + SLICE_BYTES), at);
  }
  return copy;
}

function isShared({ buffer }: Uint8Array): boolean {
  return buffer instanceof SharedArrayBuffer;
}
