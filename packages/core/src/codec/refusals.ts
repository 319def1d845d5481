import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';

/** Bytes that the codec did not write. */
export function malformed(detail: string, cause?: unknown): RoutineEngineError {
  const options = cause === undefined ? undefined : { cause };
  return new RoutineEngineError(
    'BYTES_MALFORMED',
    `The bytes are not what the codec writes: ${detail}`,
    options,
  );
}

/** A part of a value that cannot be carried exactly. `found` reads on from `is`, such as `a function`. */
export function notEncodable(
  path: string,
  found: string,
  advice: string,
  cause?: unknown,
): RoutineEngineError {
  const options = cause === undefined ? undefined : { cause };
  return new RoutineEngineError('VALUE_NOT_ENCODABLE', `${path} is ${found}; ${advice}`, options);
}

/** A value nested beyond the limit. */
export function tooDeep(path: string): RoutineEngineError {
  // A path of two hundred steps helps nobody.
  const shown = path.length > 200 ? `${path.slice(0, 200)}...` : path;
  return new RoutineEngineError(
    'VALUE_TOO_DEEP',
    `${shown} is nested deeper than ${LIMITS.valueDepth} levels`,
  );
}
