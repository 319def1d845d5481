import { types } from 'node:util';
import { bytesOf, isBinary } from './binary-kinds.js';
import { notEncodable } from './refusals.js';
import { isDetached } from './value-reader.js';

/** Memory that its owner gave up, one set a thread, also for a second installed copy of this package. */
const MOVED = Symbol.for('@routine-engine/moved.v1');
type WithMoved = typeof globalThis & { [MOVED]?: WeakSet<ArrayBufferLike> };
const moved = ((globalThis as WithMoved)[MOVED] ??= new WeakSet());

/** What {@link move} takes. @public */
export type Movable = ArrayBufferLike | ArrayBufferView;

/**
 * Gives the memory of a typed array, ArrayBuffer, DataView or Buffer away with the call or result that it is used in next:
 * `return { weights: move(weights) }`, or `train(move(data))`. The engine then need not copy it. Afterwards do not use the
 * value, nor any other view of its memory: it may be empty, or hold anything. A view of only a part of its ArrayBuffer is
 * copied as ever, since the rest may be another's: so are small Buffers, which lie in a pool of Node's.
 *
 * The same value may stand in several places of one call or result. To use it in two calls, pass one of them a copy.
 * @returns the same value.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` for memory that was given away already, and for what is no bytes.
 * @public
 */
export function move<Bytes extends Movable>(bytes: Bytes): Bytes {
  if (!isBinary(bytes)) throw notEncodable('move(bytes)', 'no bytes', 'pass a typed array or an ArrayBuffer');
  const memory = ArrayBuffer.isView(bytes) ? bytes.buffer : bytes;
  if (types.isSharedArrayBuffer(memory)) return bytes;
  if (memory.byteLength === 0 && isDetached(memory)) {
    const advice = 'move memory once, and pass copies elsewhere';
    throw notEncodable('move(bytes)', 'memory in a detached ArrayBuffer', advice);
  }
  if (coversAll(bytesOf(bytes))) moved.add(memory);
  return bytes;
}

/** Whether the bytes are all of a memory that was given up. Whoever hears so has it, and nobody else will. */
export function takeMoved(bytes: Uint8Array): boolean {
  return coversAll(bytes) && moved.delete(bytes.buffer);
}

/**
 * The pool that Node cuts small Buffers from is never given up. Its memory is a little larger than `poolSize` says, and what is
 * smaller than this is copied in no time.
 */
function coversAll({ buffer, byteLength }: Uint8Array): boolean {
  return byteLength === buffer.byteLength && byteLength > 2 * Buffer.poolSize;
}
