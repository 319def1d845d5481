import type { ErrorCode } from '../errors/codes.js';
import { ERRORS } from '../errors/codes.js';
import type { PlainError } from '../errors/plain-error.js';
import type { RetryControl } from '../model/call.js';

/**
 * What no option makes worth another attempt: the caller's own limits, which another attempt would only make longer, and
 * what has ended for good.
 */
const FINAL: ReadonlySet<unknown> = new Set<ErrorCode>([
  'RUN_CANCELLED',
  'RUN_TIMEOUT',
  'QUEUE_TIMEOUT',
  'LIFECYCLE_CLOSED',
]);

/**
 * Whether a run that failed is worth another attempt.
 * @returns `ask`: the caller's own function decides.
 */
export function isWorthRetrying(control: RetryControl, error: PlainError): boolean | 'ask' {
  const { code, name } = error;
  if (isOurs(error) && FINAL.has(code)) return false;
  const { nonRetryable = [] } = control;
  if (nonRetryable.some((final) => final === code || final === name)) return false;
  if (control.asks) return 'ask';
  return isOurs(error) ? ERRORS[error.code as ErrorCode].retry : true;
}

/**
 * How long the next attempt waits, in milliseconds.
 * @param failures - attempts that failed so far, at least 1.
 * @param chance - from 0 up to, not including, 1.
 */
export function retryDelayMs(control: RetryControl, failures: number, chance: number): number {
  const { backoffMs, factor, maxBackoffMs, jitter } = control;
  const longest = Math.min(maxBackoffMs, backoffMs * factor ** (failures - 1));
  return jitter === 'full' ? chance * longest : longest;
}

/** Whether an error is one of this project's, and not of a body that uses the same word. */
function isOurs({ name, code }: PlainError): boolean {
  return name === 'RoutineEngineError' && typeof code === 'string' && Object.hasOwn(ERRORS, code);
}
