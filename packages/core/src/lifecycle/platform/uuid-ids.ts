import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';
import type { Ids } from '../../ports/ids.js';

/** One draw of secure randomness costs about as much for many ids as for one. */
const POOL_BYTES = 4_096;
const ID_BYTES = 16;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

function pooledRandom(): Uint8Array {
  if (used + ID_BYTES > POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  used += ID_BYTES;
  return pool.subarray(used - ID_BYTES, used);
}

/** Ids of one millisecond count on, so that they sort by time of making (RFC 9562, section 6.2, method 1). */
let msecs = 0;
let seq = 0;

/** UUIDv7 by the machine's clock and the runtime's secure randomness. */
export const uuidIds: Ids = {
  next() {
    const now = Date.now();
    if (now > msecs) {
      msecs = now;
      seq = 0;
    } else {
      seq += 1;
    }
    return v7({ rng: pooledRandom, msecs, seq });
  },
};
