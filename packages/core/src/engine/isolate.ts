import { encodeResult, type EncodedResult } from '../context/encode-result.js';
import { makeRef } from '../context/ref.js';
import type { Codec } from '../ports/codec.js';
import type { RunHost } from '../ports/executor.js';

/**
 * Arguments of the receiver's own, as if they had crossed a network: a body that changes them changes nothing of its
 * caller's, on every engine. Primitives need no copy.
 * @returns `undefined` when there are references in them, whose values are yet to be fetched.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path.
 */
export function isolateArguments(args: readonly unknown[], codec: Codec): readonly unknown[] | undefined {
  if (args.every(isPrimitive)) return args;
  const encoded = codec.encode(args, { path: 'args' });
  if (codec.references(encoded).length > 0) return undefined;
  return codec.decode(encoded, { copy: true }) as readonly unknown[];
}

/**
 * The same for a result; its streams are read to their end first, and only then it is a promise.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path; what its streams throw.
 */
export function isolateResult(
  result: unknown,
  parts: { readonly codec: Codec; readonly spool: RunHost['spool'] },
): unknown {
  if (isPrimitive(result)) return result;
  const encoded = encodeResult(result, parts, 'none');
  const decode = ({ value }: EncodedResult): unknown =>
    parts.codec.decode(value, { copy: true, reference: makeRef });
  return encoded instanceof Promise ? encoded.then(decode) : decode(encoded);
}

function isPrimitive(value: unknown): boolean {
  return (
    (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol') || value === null
  );
}
