/** Numbers of the pattern, which then repeats. Each is exact as a 32-bit float. */
const PERIOD = 65_536;
/** Prime, so that checked places differ from one repetition of the pattern to the next; each page of 16 KiB has one. */
const CHECKED_STEP = 4_093;

/** An array whose content tells where it was cut, shifted or mixed up. @param seed - its first number. */
export function arrayOf(byteLength: number, seed: number): Float32Array {
  const array = new Float32Array(byteLength / Float32Array.BYTES_PER_ELEMENT);
  const first = Math.min(PERIOD, array.length);
  for (let index = 0; index < first; index += 1) array[index] = index;
  for (let filled = first; filled < array.length; filled *= 2) array.copyWithin(filled, 0, filled);
  array[0] = seed;
  return array;
}

/** Checks the length and a number of every few pages. @throws when it is not what {@link arrayOf} gives. */
export function checkArray(array: Float32Array, byteLength: number, seed: number): void {
  if (!(array instanceof Float32Array) || array.byteLength !== byteLength)
    throw new Error(`Wrong answer: ${String(array)} in place of ${byteLength} bytes`);
  if (array[0] !== seed) throw new Error(`Wrong answer: an array of ${array[0]} in place of ${seed}`);
  for (let index = CHECKED_STEP; index < array.length; index += CHECKED_STEP) {
    if (array[index] !== index % PERIOD) throw new Error(`Wrong answer: ${array[index]} at ${index}`);
  }
  const last = array.length - 1;
  if (array[last] !== last % PERIOD) throw new Error(`Wrong answer: ${array[last]} at the end`);
}
