import { LIMITS } from '../../src/model/limits.js';
import type { Outcome } from '../../src/model/outcome.js';
import { inMemory } from '../protocol/connected.js';
import type { PipedCluster } from './piped-cluster.js';

export const MiB = 1024 * 1024;
/** What two connections and their pipes may hold of one body. */
export const IN_FLIGHT = 2 * (LIMITS.streamWindowBytes + LIMITS.initialWindowBytes) + 4 * MiB;
export const small = inMemory(new Uint8Array([1, 2, 3]));

/** Reads a body by hand, up to a number of bytes. */
export async function readUpTo(
  { turns }: PipedCluster,
  reader: AsyncIterator<Uint8Array>,
  byteLength: number,
): Promise<number> {
  let bytes = 0;
  while (bytes < byteLength) {
    const next = await turns.until(reader.next());
    if (next.done === true) break;
    bytes += next.value.byteLength;
  }
  return bytes;
}

export const bytesEqual = (one: Uint8Array | undefined, two: Uint8Array): boolean =>
  one !== undefined && Buffer.compare(one, two) === 0;

export const valueOf = (outcome: Outcome): Uint8Array | undefined =>
  outcome.status === 'DONE' ? outcome.value?.head : undefined;
