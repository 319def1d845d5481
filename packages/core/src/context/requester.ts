import { fromPlainError } from '../errors/error-conversion.js';
import type { Requester } from '../ports/executor.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { retryOptionsOf } from './encode-call.js';

/** Who answers for a call of user code while it runs; `undefined` when there is nothing to ask. */
export function requesterOf(call: RoutineCall): Requester | undefined {
  const retryIf = retryOptionsOf(call)?.retryIf;
  return retryIf && { mayRetry: async (error) => retryIf(fromPlainError(error)) === true };
}
