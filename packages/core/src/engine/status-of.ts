import type { Outcome } from '../model/outcome.js';
import { statusWithoutValue, type RunStatus } from '../model/statuses.js';

/** The status of a run that ended so. */
export function statusOf(outcome: Outcome): RunStatus {
  if (outcome.status === 'DONE') return 'DONE';
  return statusWithoutValue(outcome.status === 'CANCELLED', outcome.error.code);
}
