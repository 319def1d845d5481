import { inspect } from 'node:util';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { stepsOf } from '../context/without-paths.js';
import type { CacheOptions, CallOptions, DefinitionOptions } from '../model/routine-definition.js';

/** The longest delay a timer can hold: 2^31 - 1 ms, about 24.8 days. */
const LONGEST_MS = 2_147_483_647;

/**
 * Checks the options of a routine or a call.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, naming routine and option.
 */
export function assertOptions(routine: string, options: CallOptions & DefinitionOptions): void {
  for (const name of ['timeoutMs', 'queueTimeoutMs'] as const) {
    const value: unknown = options[name];
    if (value === undefined) continue;
    if (typeof value !== 'number' || !(value > 0 && value <= LONGEST_MS)) {
      throw new RoutineEngineError(
        'OPTION_INVALID',
        `${routine}: ${name} is ${inspect(value)}; it must be milliseconds above 0, up to ${LONGEST_MS}`,
      );
    }
  }
  const { keepRefs, cache }: { keepRefs?: unknown; cache?: unknown } = options;
  if (keepRefs !== undefined && typeof keepRefs !== 'boolean') {
    throw invalid(routine, 'keepRefs', keepRefs, 'true or false');
  }
  assertCacheOption(routine, cache);
  const { signal }: { signal?: unknown } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new RoutineEngineError('OPTION_INVALID', `${routine}: signal is not an AbortSignal`);
  }
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

const NOTHING = { ttlMs: undefined, ignore: undefined, key: undefined, verify: undefined };

function invalid(routine: string, option: string, value: unknown, wanted: string): RoutineEngineError {
  return new RoutineEngineError(
    'OPTION_INVALID',
    `${routine}: ${option} is ${inspect(value)}; it must be ${wanted}`,
  );
}
