import { types } from 'node:util';
import { Packr, RESERVE_START_SPACE, RESET_BUFFER_MODE, REUSE_BUFFER_MODE } from 'msgpackr';

/** What msgpackr gives back with REUSE_BUFFER_MODE: its whole memory, and where the result lies in it. */
type Slab = Buffer & { readonly start: number; readonly end: number };

/** Size of the memory msgpackr packs into at first. */
const SLAB_BYTES = 8 * 1024;
/** Larger memory is not kept for the next value. */
const KEPT_SLAB_BYTES = 8 * 1024 * 1024;
const REUSE = REUSE_BUFFER_MODE | RESET_BUFFER_MODE;
/** Heads up to this length are copied before they are read; see {@link unpack}. */
const READ_COPY_BYTES = 4 * 1024;

/**
 * msgpackr with everything off that changes values in silence, runs code or has process-wide state: no records (they
 * compile code), no references and built-in extensions (unsafe on bytes from a stranger), no `toJSON`. Map sizes vary,
 * so that there is one encoding of a value, and objects may have more than 65,535 keys.
 */
const packr = new Packr({
  useRecords: false,
  structuredClone: false,
  moreTypes: false,
  useToJSON: false,
  mapsAsObjects: true,
  variableMapSize: true,
});

const readBuffer = Buffer.allocUnsafeSlow(READ_COPY_BYTES);

/** Bytes of the memory msgpackr packed into last. */
let slabBytes: Uint8Array = new Uint8Array(0);
/** Whether msgpackr is at work: a getter or proxy in a value may ask for another value's bytes meanwhile. */
let isPacking = false;

/**
 * Packs a tree of null, booleans, numbers, strings, arrays and plain objects.
 *
 * msgpackr packs into memory that is used again for the next value, and has room for the longest so far. The result
 * is copied out: as a part of that memory it would hold on to all of it.
 * @param first - a byte to put before it.
 */
export function pack(tree: unknown, first?: number): Uint8Array {
  const isNested = isPacking;
  isPacking = true;
  try {
    const slab = packr.pack(tree, first === undefined ? REUSE : REUSE | RESERVE_START_SPACE | 1) as Slab;
    if (slab.buffer !== slabBytes.buffer) slabBytes = new Uint8Array(slab.buffer);
    // Not slice() of the Buffer, which copies nothing.
    const bytes = slabBytes.slice(slab.start, slab.end);
    if (first !== undefined) bytes[0] = first;
    if (slab.byteLength > KEPT_SLAB_BYTES && !isNested) packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));
    return bytes;
  } finally {
    isPacking = isNested;
  }
}

/**
 * Unpacks bytes that {@link scan} has passed.
 *
 * msgpackr makes a DataView for each buffer it sees, which takes longer than reading a small value. So small heads
 * are copied into one buffer whose view it knows already. No code of users runs meanwhile.
 */
export function unpack(bytes: Uint8Array, start: number): unknown {
  const length = bytes.byteLength - start;
  if (length <= READ_COPY_BYTES) {
    readBuffer.set(start === 0 ? bytes : bytes.subarray(start));
    return packr.unpack(readBuffer, length);
  }
  // Nothing may read a text out of memory that other threads see.
  const { buffer, byteOffset } = types.isSharedArrayBuffer(bytes.buffer) ? new Uint8Array(bytes) : bytes;
  return packr.unpack(Buffer.from(buffer, byteOffset + start, length));
}
