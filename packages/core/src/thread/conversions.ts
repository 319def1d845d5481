import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { CallMessage, OutcomeMessage } from './messages.js';

/** The message of a call; its arguments go beside it. */
export function toCallMessage(call: EncodedCall): CallMessage {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, queueTimeoutMs } = call;
  return { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, queueTimeoutMs };
}

/** The inverse of {@link toCallMessage}. */
export function fromCallMessage(message: CallMessage, args: Encoded | undefined): EncodedCall {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, queueTimeoutMs } = message;
  return {
    runId,
    rootRunId,
    routineId,
    attempt,
    arguments: args ?? missingValue(routineId),
    parentRunId,
    argumentsDigest,
    queueTimeoutMs,
  };
}

/** The message of an outcome; its value goes beside it. */
export function toOutcomeMessage(outcome: Outcome): OutcomeMessage {
  if (outcome.status !== 'DONE') return { status: outcome.status, error: outcome.error };
  return { status: 'DONE', durationMs: outcome.durationMs, rememberedIn: outcome.rememberedIn };
}

/** The inverse of {@link toOutcomeMessage}. */
export function fromOutcomeMessage(message: OutcomeMessage, value: Encoded | undefined): Outcome {
  if (message.status !== 'DONE') return { status: message.status, error: message.error };
  const { durationMs, rememberedIn } = message;
  return {
    status: 'DONE',
    value: value ?? missingValue('a result'),
    durationMs,
    rememberedIn,
  };
}

function missingValue(of: string): never {
  throw new RoutineEngineError('INTERNAL', `The value of ${of} did not come with its message`);
}
