import { fromPlainError } from '../errors/error-conversion.js';
import type { Requester } from '../ports/executor.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { retryOptionsOf } from './encode-call.js';
import type { SubmittedRun } from './submitted-run.js';

/** Who answers for a call of user code while it runs; `undefined` when there is nothing to ask or to tell. */
export function requesterOf(call: RoutineCall, submitted: SubmittedRun | undefined): Requester | undefined {
  const retryIf = retryOptionsOf(call)?.retryIf;
  if (!retryIf && !submitted) return undefined;
  return {
    mayRetry: retryIf && (async (error) => retryIf(fromPlainError(error)) === true),
    status: submitted && ((status) => submitted.tell(status)),
    accepted: submitted && (() => submitted.accept()),
  };
}
