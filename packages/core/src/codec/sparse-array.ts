import { malformed } from './refusals.js';

const LONGEST_ARRAY = 2 ** 32 - 1;
/** Holes up to this number behind the last item may be backed by memory. */
const BACKED_HOLES = 1024;

/**
 * An empty array that is to get `length`, which a stranger may have declared: `resize` gives it that length when its
 * items are in, without memory for holes.
 */
export function sparseArray(length: unknown): { readonly array: unknown[]; readonly resize: () => void } {
  if (typeof length !== 'number' || !Number.isInteger(length) || length < 0 || length > LONGEST_ARRAY) {
    throw malformed('an array of no length');
  }
  const array: unknown[] = [];
  const resize = (): void => {
    // V8 backs lengths up to some millions with memory at once; from the greatest length down it does not.
    if (length - array.length > BACKED_HOLES) array.length = LONGEST_ARRAY;
    array.length = length;
  };
  return { array, resize };
}
