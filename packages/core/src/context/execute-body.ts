import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import type { Clock } from '../ports/clock.js';
import type { RunHost } from '../ports/executor.js';
import { decodeArguments, type ArgumentParts } from './decode-arguments.js';
import { encodeResult } from './encode-result.js';
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
 * Runs a body from encoded arguments to an encoded outcome. Never rejects. The buffers of the value may be views of the
 * body's own memory: whoever keeps them copies them first.
 */
export async function executeBody(
  scope: RunScope,
  definition: RoutineDefinition,
  call: EncodedCall,
  parts: ArgumentParts & Pick<RunHost, 'spool' | 'finishesNode'> & { readonly clock: Clock },
): Promise<Outcome> {
  const startedAt = parts.clock.monotonic();
  try {
    const args = decodeArguments(call, definition.options.keepRefs === true, parts);
    const result = await callBody(scope, definition, args instanceof Promise ? await args : args);
    const wantsNode = call.argumentsDigest !== undefined || call.answer !== undefined;
    const form = !wantsNode ? 'none' : parts.finishesNode ? 'unfinished' : 'whole';
    // In the scope of the run, since the code behind its streams belongs to it.
    const encoded = inScope(scope, encodeResult, result, parts, form);
    const { value, node, unfinishedNode } = encoded instanceof Promise ? await encoded : encoded;
    const reason = scope.cancel.reason;
    if (reason) return { status: 'CANCELLED', error: toPlainError(reason) };
    return { status: 'DONE', value, node, unfinishedNode, durationMs: parts.clock.monotonic() - startedAt };
  } catch (error) {
    const reason = scope.cancel.reason;
    return reason
      ? { status: 'CANCELLED', error: toPlainError(reason) }
      : { status: 'FAILED', error: toPlainError(asError(error, scope.routineId)) };
  }
}
