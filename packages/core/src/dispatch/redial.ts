import { LIMITS } from '../model/limits.js';

/**
 * How long to wait before the next dial: anything up to a bound that doubles with each failure, so that nodes that lost their
 * service together do not come back together. Pure.
 * @param failures - dials that failed since the connection was lost.
 * @param chance - 0 to 1, 1 excluded.
 * @returns milliseconds.
 * @public
 */
export function redialDelayMs(failures: number, chance: number): number {
  return chance * Math.min(LIMITS.redialMostMs, LIMITS.redialFirstMs * 2 ** failures);
}
