import { randomFillSync } from 'node:crypto';
import type { Ids } from '../../ports/ids.js';

/** One draw of secure randomness costs about as much for many ids as for one. */
const POOL_BYTES = 4_096;
/** Hexadecimal digits of randomness in an id: 48 bits. */
const RANDOM_DIGITS = 12;
const pool = Buffer.allocUnsafeSlow(POOL_BYTES);
let digits = '';
let used = 0;

function randomDigits(): string {
  if (used + RANDOM_DIGITS > digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  used += RANDOM_DIGITS;
  return digits.slice(used - RANDOM_DIGITS, used);
}

/** Ids of one millisecond count on, so that they sort by time of making (RFC 9562, section 6.2, method 1). */
const LOW_BITS = 14;
const MOST_OF_A_MILLISECOND = 2 ** (12 + LOW_BITS) - 1;
let msecs = 0;
let count = 0;
/** Time and the high part of the count, with the version before it. */
let start = '';

function startOf(): string {
  const time = msecs.toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-${(0x7000 | (count >>> LOW_BITS)).toString(16)}-`;
}

/** UUIDv7 by the machine's clock and the runtime's secure randomness. */
export const uuidIds: Ids = {
  next() {
    const now = Date.now();
    if (now > msecs || count === MOST_OF_A_MILLISECOND) {
      msecs = Math.max(now, msecs + 1);
      count = 0;
      start = startOf();
    } else {
      count += 1;
      if ((count & (2 ** LOW_BITS - 1)) === 0) start = startOf();
    }
    // The low part of the count, with the variant before it.
    const low = (0x8000 | (count & (2 ** LOW_BITS - 1))).toString(16);
    return `${start}${low}-${randomDigits()}`;
  },
};
