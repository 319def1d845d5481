import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { ReferenceData } from '../model/reference.js';
import type { ResultKey } from '../model/result.js';
import type { Codec } from '../ports/codec.js';
import type { RunHost } from '../ports/executor.js';
import { makeRef } from './ref.js';

/** How {@link decodeArguments} does it. */
export interface ArgumentParts {
  readonly codec: Codec;
  /** Whether somebody else holds the bytes of the arguments too, so that the body gets a copy. */
  readonly argumentsAreShared: boolean;
  readonly fetch: RunHost['fetch'];
}

/**
 * The arguments of a call as its body gets them: where a reference stands, the value that it stands for, unless the routine
 * wants references kept. A promise only when values have to be fetched.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` and what decoding throws; what `fetch` throws.
 */
export function decodeArguments(
  call: EncodedCall,
  keepRefs: boolean,
  parts: ArgumentParts,
): readonly unknown[] | Promise<readonly unknown[]> {
  const references = keepRefs ? [] : parts.codec.references(call.arguments);
  return references.length === 0 ? decode(call, parts, makeRef) : decodeResolved(call, references, parts);
}

async function decodeResolved(
  call: EncodedCall,
  references: readonly ReferenceData[],
  parts: ArgumentParts,
): Promise<readonly unknown[]> {
  const values = new Map<ResultKey, unknown>();
  const resolve = async (reference: ReferenceData): Promise<void> => {
    const encoded = await parts.fetch(reference);
    values.set(reference.key, parts.codec.decode(encoded, { copy: true, reference: makeRef }));
  };
  await Promise.all(references.map(resolve));
  return decode(call, parts, ({ key }) => values.get(key));
}

function decode(
  call: EncodedCall,
  { codec, argumentsAreShared: copy }: ArgumentParts,
  reference: (data: ReferenceData) => unknown,
): readonly unknown[] {
  const args = codec.decode(call.arguments, { copy, reference });
  if (Array.isArray(args)) return args;
  throw new RoutineEngineError('BYTES_MALFORMED', `The arguments of ${call.routineId} are no list`);
}
