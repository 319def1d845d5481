import { Packr, RESERVE_START_SPACE } from 'msgpackr';

/** Size of the memory msgpackr writes small heads into, one after the other. */
const SLAB_BYTES = 8 * 1024;
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

/** Packs a tree of null, booleans, numbers, strings, arrays and plain objects. */
export function pack(tree: unknown): Uint8Array {
  return giveAway(packr.pack(tree));
}

/** Packs a tree behind a first byte of the caller's. */
export function packBehind(first: number, tree: unknown): Uint8Array {
  const bytes = packr.pack(tree, RESERVE_START_SPACE | 1);
  bytes[0] = first;
  return giveAway(bytes);
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
  return packr.unpack(Buffer.from(bytes.buffer, bytes.byteOffset + start, length));
}

/** A long head keeps the memory it was written into; else that memory's size would be the next one's least. */
function giveAway(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > SLAB_BYTES) packr.useBuffer(Buffer.allocUnsafeSlow(SLAB_BYTES));
  return bytes;
}
