import { snapshotInParts } from '../codec/snapshot.js';
import type { Outcome } from '../model/outcome.js';
import { toOutcomeMessage } from './conversions.js';
import { streamsOf } from './guest-contents.js';
import { LONG_PART_BYTES, sendPieces } from './long-parts.js';
import type { ToGuest, ToHost } from './messages.js';
import type { ParcelPort } from './parcel-port.js';

/**
 * Tells the host how a run ended. When this returns, the value may change.
 * @param takesArriving - whether long parts of the value may follow.
 */
export function sendSettled(
  port: ParcelPort<ToHost, ToGuest>,
  runId: string,
  outcome: Outcome,
  takesArriving: boolean,
): void {
  const value = outcome.status === 'DONE' ? outcome.value : undefined;
  const { own, long } = value ? snapshotInParts(value, takesArriving ? LONG_PART_BYTES : Infinity) : {};
  const message = toOutcomeMessage(outcome, own && streamsOf(own), long);
  port.send({ kind: 'settled', runId, outcome: message }, own, true);
  if (long) sendPieces(port, long);
}
