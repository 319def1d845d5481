import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import { inScope, type RunScope } from './run-scope.js';

type Body = (...args: readonly unknown[]) => unknown;

/** Calls a body in its scope. */
export function callBody(scope: RunScope, definition: RoutineDefinition, args: readonly unknown[]): unknown {
  return inScope(scope, definition.body as Body, ...args);
}

/** What a body threw, as an Error, whatever it was. */
export function asError(thrown: unknown, routineId: string): Error {
  if (thrown instanceof Error) return thrown;
  const plain = toPlainError(thrown);
  return new RoutineEngineError('ROUTINE_THREW_NON_ERROR', `${routineId}: ${plain.message}`, {
    cause: thrown,
  });
}

/**
 * Runs a body from encoded arguments to an encoded outcome. Never rejects. The buffers of the value are views of
 * the body's own memory: whoever keeps them copies them first.
 */
export async function executeBody(
  scope: RunScope,
  definition: RoutineDefinition,
  call: EncodedCall,
  parts: {
    readonly codec: Codec;
    readonly clock: Clock;
    /** Whether somebody else holds the bytes of the arguments too, so that the body gets a copy. */
    readonly argumentsAreShared: boolean;
  },
): Promise<Outcome> {
  const startedAt = parts.clock.monotonic();
  try {
    const args = parts.codec.decode(call.arguments, { copy: parts.argumentsAreShared });
    if (!Array.isArray(args))
      throw new RoutineEngineError('BYTES_MALFORMED', `The arguments of ${call.routineId} are no list`);
    const value = await callBody(scope, definition, args);
    const reason = scope.cancel.reason;
    if (reason) return { status: 'CANCELLED', error: toPlainError(reason) };
    return {
      status: 'DONE',
      value: parts.codec.encode(value, { path: 'result' }),
      durationMs: parts.clock.monotonic() - startedAt,
    };
  } catch (error) {
    const reason = scope.cancel.reason;
    return reason
      ? { status: 'CANCELLED', error: toPlainError(reason) }
      : { status: 'FAILED', error: toPlainError(asError(error, scope.routineId)) };
  }
}
