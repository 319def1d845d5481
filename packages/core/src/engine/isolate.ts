import type { Codec } from '../ports/codec.js';

/**
 * Values of the receiver's own, as if they had crossed a network: a body that changes its arguments changes nothing
 * of its caller's, on every engine. Primitives need no copy.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path.
 */
export function isolate<T>(value: T, path: string, codec: Codec): T {
  if (isPrimitive(value)) return value;
  if (path === 'args' && Array.isArray(value) && value.every(isPrimitive)) return value;
  return codec.decode(codec.encode(value, { path }), { copy: true }) as T;
}

function isPrimitive(value: unknown): boolean {
  return (
    (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') || value === null
  );
}
