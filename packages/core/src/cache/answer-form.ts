import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import { isLoaded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';

/** Whether an outcome has what a call asked for: the value, or a reference to it. A failure always has; for both, the value will do. */
export function isAnswer({ answer }: Pick<EncodedCall, 'answer'>, outcome: Outcome): boolean {
  if (outcome.status !== 'DONE') return true;
  return (answer === 'reference' ? outcome.reference : outcome.value) !== undefined;
}

/** Whether the value of an answer, if it has one, can be decoded as it is. */
export function isReady({ outcome }: { readonly outcome: Outcome }): boolean {
  return outcome.status !== 'DONE' || !outcome.value || isLoaded(outcome.value);
}

/** The same call, its result to be kept and named if a store can. */
export function withName<Call extends EncodedCall>(call: Call): Call {
  return call.answer === undefined ? { ...call, answer: 'both' } : call;
}

/** The outcome with nothing but what the call asked for, and what stands for its value; when it lacks that, a failed one. */
export function asAnswer(call: EncodedCall, outcome: Outcome): Outcome {
  if (outcome.status !== 'DONE') return outcome;
  if (!isAnswer(call, outcome)) return notKept(call);
  if (call.answer === 'both') return outcome;
  if (call.answer === 'reference') return { ...outcome, value: undefined };
  const { reference, node = reference?.node } = outcome;
  return reference ? { ...outcome, reference: undefined, node } : outcome;
}

function notKept({ routineId, answer }: EncodedCall): Outcome {
  const error =
    answer === 'reference'
      ? new RoutineEngineError(
          'REFERENCE_NOT_KEPT',
          `${routineId} has run, but no store kept its result, so there is nothing to refer to: see the event store.failed`,
        )
      : new RoutineEngineError('INTERNAL', `${routineId} was answered without its value`);
  return { status: 'FAILED', error: toPlainError(error) };
}
