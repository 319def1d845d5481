import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { CallMessage, OutcomeMessage, ValueStreams } from './messages.js';

/** The message of a call; its arguments go beside it. Rare fields are left out: each costs as much as the others. */
export function toCallMessage(call: EncodedCall): CallMessage {
  const { runId, parentRunId, rootRunId, routineId, attempt, depth, argumentsDigest, queueTimeoutMs } = call;
  const usual = { runId, parentRunId, rootRunId, routineId, attempt, depth, argumentsDigest, queueTimeoutMs };
  const { answer, remember, attemptTimeoutMs, speculateAfterMs, retry, priority, labels, submitted } = call;
  const { serializers, detached, triggeredBy, triggerDepth } = call;
  const timed = attemptTimeoutMs ?? speculateAfterMs;
  const asked = answer ?? remember ?? timed ?? retry ?? labels ?? submitted ?? serializers;
  if (asked === undefined && !priority && !triggerDepth) return usual;
  const rare = { answer, remember, attemptTimeoutMs, speculateAfterMs, retry, priority, labels, submitted };
  return { ...usual, ...rare, serializers, detached, triggeredBy, triggerDepth };
}

/** The inverse of {@link toCallMessage}. */
export function fromCallMessage(message: CallMessage, args: Encoded | undefined): EncodedCall {
  return { ...message, arguments: cameWith(args, message.routineId) };
}

/**
 * The message of an outcome; its value goes beside it.
 * @param streams - those of the value.
 * @param parts - those of it that follow it, by their numbers.
 */
export function toOutcomeMessage(
  outcome: Outcome,
  streams: ValueStreams | undefined,
  parts?: ReadonlyMap<number, Uint8Array>,
): OutcomeMessage {
  if (outcome.status !== 'DONE') return { status: outcome.status, error: outcome.error };
  const { durationMs, rememberedIn, node, unfinishedNode, reference } = outcome;
  const message = { status: 'DONE', durationMs, rememberedIn } as const;
  const long = parts && [...parts].map(([part, { byteLength }]) => ({ part, byteLength }));
  if (!node && !unfinishedNode && !reference && !streams && !long) return message;
  return { ...message, node, unfinishedNode, reference, streams, long };
}

/** The inverse of {@link toOutcomeMessage}. @param value - with its streams. */
export function fromOutcomeMessage(message: OutcomeMessage, value: Encoded | undefined): Outcome {
  if (message.status !== 'DONE') return { status: message.status, error: message.error };
  const { durationMs, rememberedIn, node, unfinishedNode, reference } = message;
  return { status: 'DONE', value, reference, node, unfinishedNode, rememberedIn, durationMs };
}

/** The value that came with a message. @throws `INTERNAL` when none did. */
export function cameWith(value: Encoded | undefined, of: string): Encoded {
  if (value) return value;
  throw new RoutineEngineError('INTERNAL', `The value of ${of} did not come with its message`);
}
