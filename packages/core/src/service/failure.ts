import type { PlainError } from '../errors/plain-error.js';
import type { RunFails } from '../protocol/directives.js';

/** Tells a requester that its run gave no value. */
export function failure(runId: string, attempt: number, error: PlainError, cancelled: boolean): RunFails {
  return { type: 'v1.routine.failed', runId, attempt, lease: 0, cancelled, again: 'no', error };
}
