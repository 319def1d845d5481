import { define, move } from '@routine-engine/core';
import { arrayOf, checkArray } from './pattern.js';
import { chunksOf } from './chunks.js';

let held: Float32Array = new Float32Array(0);

/** Gives an array that was there before, so that only its way is measured. */
export const heldArray = define.task(
  { name: 'held-array', version: '1.0.0', cache: false },
  (byteLength: number, seed: number): Float32Array => {
    if (held.byteLength !== byteLength) held = arrayOf(byteLength, seed);
    held[0] = seed;
    return held;
  },
);

/** Makes an array, and gives its memory away. */
export const freshArray = define.task(
  { name: 'fresh-array', version: '1.0.0', cache: false },
  (byteLength: number, seed: number): Float32Array => move(arrayOf(byteLength, seed)),
);

/** Gives an array that was there before, and is remembered. */
export const rememberedArray = define.task(
  { name: 'remembered-array', version: '1.0.0' },
  (byteLength: number, seed: number): Float32Array => {
    if (held.byteLength !== byteLength) held = arrayOf(byteLength, seed);
    held[0] = seed;
    return held;
  },
);

/** Takes an array, and checks it. @returns its bytes. */
export const takenArray = define.task(
  { name: 'taken-array', version: '1.0.0', cache: false },
  (array: Float32Array, seed: number): number => {
    checkArray(array, array.byteLength, seed);
    return array.byteLength;
  },
);

/** Gives a stream. */
export const stream = define.task({ name: 'stream', version: '1.0.0', cache: false }, chunksOf);

/** Gives a stream that is remembered. */
export const rememberedStream = define.task({ name: 'remembered-stream', version: '1.0.0' }, chunksOf);

/** Does nothing. */
export const smallCall = define.task(
  { name: 'small-call', version: '1.0.0', cache: false },
  (n: number) => n,
);
