import { createHash } from 'node:crypto';
import { ArrivingPart } from '../model/arriving-part.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { finishedNode } from '../model/unfinished-node.js';
import type { Clock } from '../ports/clock.js';

/** What is hashed in one turn of the loop: no heartbeat waits longer than that takes (about 1 ms). */
const SLICE_BYTES = 1024 * 1024;

const NOTHING = new Uint8Array(0);

type Done = Extract<Outcome, { readonly status: 'DONE' }>;

/**
 * The same outcome with a whole node.
 * @param kept - its value, large parts of it in a store, whose digests need not be made again. A part in memory is hashed
 *   slice by slice, one a turn of the loop: it must not change until then.
 * @throws why a part did not arrive.
 */
export async function withFinishedNode(outcome: Done, kept: Encoded, clock: Clock): Promise<Done> {
  const { unfinishedNode } = outcome;
  if (!unfinishedNode) return outcome;
  const digests = new Map<number, string>();
  for (const { part } of unfinishedNode.gaps) {
    if (!digests.has(part)) digests.set(part, await digestOfPart(kept, part, clock));
  }
  const node = finishedNode(unfinishedNode, (part) => digests.get(part) ?? '');
  return { ...outcome, node, unfinishedNode: undefined };
}

async function digestOfPart({ head, buffers, blobs }: Encoded, part: number, clock: Clock): Promise<string> {
  const blob = blobs?.get(part);
  if (blob && !(blob instanceof ArrivingPart)) return blob.digest;
  const bytes = part === 0 ? head : buffers[part - 1];
  const digest = createHash('sha256');
  for await (const chunk of blob ? blob.chunks() : [bytes ?? NOTHING]) {
    for (let at = 0; at < chunk.byteLength; at += SLICE_BYTES) {
      if (at > 0) await new Promise<void>((resolve) => clock.nextTurn(resolve));
      digest.update(chunk.subarray(at, at + SLICE_BYTES));
    }
  }
  return digest.digest('hex');
}
