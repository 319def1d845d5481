import { pause } from '../context/pause.js';
import type { Answer } from '../cache/result-cache.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import type { EncodedCall, RetryControl } from '../model/call.js';
import { isWorthRetrying, retryDelayMs } from '../policy/retry.js';
import type { Clock } from '../ports/clock.js';
import type { Requester } from '../ports/executor.js';
import type { Random } from '../ports/random.js';
import type { RequestedRun } from './requested-run.js';

export interface RetryParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * Runs a call until it gives a value, is cancelled, or is not worth another attempt.
 * @param attempt - runs it once; its attempt is that of the run.
 */
export async function withRetries(
  run: RequestedRun,
  retry: RetryControl,
  requester: Requester | undefined,
  attempt: (call: EncodedCall) => Promise<Answer>,
  { clock, random }: RetryParts,
): Promise<Answer> {
  for (let failures = 1; ; failures += 1) {
    const answer = await attempt({ ...run.call, attempt: run.attempt });
    const { outcome } = answer;
    if (outcome.status !== 'FAILED' || run.cancellation.reason || failures > retry.attempts) return answer;
    if (!(await isWanted(retry, outcome.error, requester))) return answer;
    const delayMs = retryDelayMs(retry, failures, random.next());
    run.again(outcome.error, delayMs);
    await pause(delayMs, clock, run.cancellation);
    const { reason } = run.cancellation;
    if (reason) return { outcome: { status: 'CANCELLED', error: toPlainError(reason) }, from: 'run' };
  }
}

async function isWanted(
  retry: RetryControl,
  error: PlainError,
  requester: Requester | undefined,
): Promise<boolean> {
  const isWorthIt = isWorthRetrying(retry, error);
  return isWorthIt === 'ask' ? ((await requester?.mayRetry?.(error)) ?? false) : isWorthIt;
}
