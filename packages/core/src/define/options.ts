import { inspect } from 'node:util';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { CallOptions, DefinitionOptions } from '../model/routine-definition.js';

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
  for (const name of ['cache', 'keepRefs'] as const) {
    const value: unknown = options[name];
    if (value === undefined || typeof value === 'boolean') continue;
    throw new RoutineEngineError(
      'OPTION_INVALID',
      `${routine}: ${name} is ${inspect(value)}; it must be true or false`,
    );
  }
  const { signal }: { signal?: unknown } = options;
  if (signal !== undefined && !(signal instanceof AbortSignal)) {
    throw new RoutineEngineError('OPTION_INVALID', `${routine}: signal is not an AbortSignal`);
  }
}
