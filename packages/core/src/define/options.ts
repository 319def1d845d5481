import { inspect } from 'node:util';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { stepsOf } from '../context/without-paths.js';
import { isLabels, LABELS_WANTED } from '../model/labels.js';
import { LIMITS } from '../model/limits.js';
import type {
  CacheOptions,
  CallOptions,
  DefinitionOptions,
  RetryOptions,
} from '../model/routine-definition.js';

/** The longest delay a timer can hold: 2^31 - 1 ms, about 24.8 days. */
const LONGEST_MS = 2_147_483_647;

/**
 * Checks the options of a routine or a call.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, naming routine and option.
 */
export function assertOptions(routine: string, options: CallOptions & DefinitionOptions): void {
  for (const name of ['timeoutMs', 'attemptTimeoutMs', 'queueTimeoutMs', 'speculateAfterMs'] as const) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0 && value <= LONGEST_MS)) {
      throw new RoutineEngineError(
        'OPTION_INVALID',
        `${routine}: ${name} is ${inspect(value)}; it must be milliseconds above 0, up to ${LONGEST_MS}`,
      );
    }
  }
  const { keepRefs, cache, detached }: Partial<Record<string, unknown>> = { ...options };
  if (detached !== undefined && typeof detached !== 'boolean')
    throw invalid(routine, 'detached', detached, 'true or false');
  if (keepRefs !== undefined && typeof keepRefs !== 'boolean') {
    throw invalid(routine, 'keepRefs', keepRefs, 'true or false');
  }
  assertCacheOption(routine, cache);
  if (options.retries !== undefined) assertRetries(routine, options.retries);
  assertPlacing(routine, options);
  const { signal }: { signal?: unknown } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new RoutineEngineError('OPTION_INVALID', `${routine}: signal is not an AbortSignal`);
  }
}

function assertPlacing(
  routine: string,
  { priority, labels }: { readonly priority?: unknown; readonly labels?: unknown },
): void {
  const most = LIMITS.highestPriority;
  if (priority !== undefined && !(Number.isInteger(priority) && Math.abs(priority as number) <= most))
    throw invalid(routine, 'priority', priority, `a whole number from -${most} to ${most}`);
  if (labels !== undefined && !isLabels(labels)) throw invalid(routine, 'labels', labels, LABELS_WANTED);
}

function assertCacheOption(routine: string, cache: unknown): void {
  if (cache === undefined || typeof cache === 'boolean' || cache === 'refresh') return;
  if (typeof cache !== 'object' || cache === null)
    throw invalid(routine, 'cache', cache, "true, false, 'refresh' or an object");
  const { ttlMs, ignore, key, verify }: Record<keyof CacheOptions, unknown> = { ...NOTHING, ...cache };
  if (ttlMs !== undefined && !(typeof ttlMs === 'number' && ttlMs > 0))
    throw invalid(routine, 'cache.ttlMs', ttlMs, 'milliseconds above 0');
  if (verify !== undefined && !(typeof verify === 'number' && verify >= 0 && verify <= 1))
    throw invalid(routine, 'cache.verify', verify, 'a share from 0 to 1');
  if (key !== undefined && typeof key !== 'function') throw invalid(routine, 'cache.key', key, 'a function');
  if (ignore === undefined) return;
  if (!Array.isArray(ignore)) throw invalid(routine, 'cache.ignore', ignore, 'a list of paths');
  for (const path of ignore) stepsOf(String(path));
}

function assertRetries(routine: string, retries: unknown): void {
  const isNumber = typeof retries === 'number';
  if (!isNumber && (typeof retries !== 'object' || retries === null))
    throw invalid(routine, 'retries', retries, 'a number or an object');
  const given: Partial<Record<keyof RetryOptions, unknown>> = isNumber ? { attempts: retries } : retries;
  const option = isNumber ? 'retries' : 'retries.attempts';
  const { attempts, backoffMs, factor, maxBackoffMs, jitter, nonRetryable, retryIf } = given;
  assertNumber(routine, option, attempts ?? Number.NaN, 0, LIMITS.retryAttempts, 'a whole number');
  assertNumber(routine, 'retries.backoffMs', backoffMs, 0, LONGEST_MS, 'milliseconds');
  assertNumber(routine, 'retries.maxBackoffMs', maxBackoffMs, 0, LONGEST_MS, 'milliseconds');
  assertNumber(routine, 'retries.factor', factor, 1, 1_000, 'a number');
  if (jitter !== undefined && jitter !== 'full' && jitter !== 'none')
    throw invalid(routine, 'retries.jitter', jitter, "'full' or 'none'");
  const isList = Array.isArray(nonRetryable) && nonRetryable.every((final) => typeof final === 'string');
  if (nonRetryable !== undefined && !isList)
    throw invalid(routine, 'retries.nonRetryable', nonRetryable, 'a list of codes or names of errors');
  if (retryIf !== undefined && typeof retryIf !== 'function')
    throw invalid(routine, 'retries.retryIf', retryIf, 'a function');
}

function assertNumber(
  routine: string,
  option: string,
  value: unknown,
  least: number,
  most: number,
  kind: 'milliseconds' | 'a number' | 'a whole number',
): void {
  if (value === undefined) return;
  const isWhole = kind !== 'a whole number' || Number.isInteger(value);
  if (typeof value === 'number' && value >= least && value <= most && isWhole) return;
  throw invalid(routine, option, value, `${kind} from ${least} to ${most}`);
}

const NOTHING = { ttlMs: undefined, ignore: undefined, key: undefined, verify: undefined };

function invalid(routine: string, option: string, value: unknown, wanted: string): RoutineEngineError {
  return new RoutineEngineError(
    'OPTION_INVALID',
    `${routine}: ${option} is ${inspect(value)}; it must be ${wanted}`,
  );
}
