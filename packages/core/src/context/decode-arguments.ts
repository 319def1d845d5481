import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
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
 * The arguments of a call as its body gets them: where a reference stands, the value that it stands for, in which references
 * are resolved too; unless the routine wants references kept. A promise only when values have to be fetched.
 * @throws {@link RoutineEngineError} `BYTES_MALFORMED` and what decoding throws; `VALUE_TOO_DEEP` when references lead to
 *   references beyond the depth of values; what `fetch` throws.
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
  const values = new ResolvedValues(await fetchAll(references, parts), parts.codec);
  return decode(call, parts, ({ key }) => values.get(key));
}

/** What references stand for, with what those values refer to themselves: in digests, all of it counts as the value. */
async function fetchAll(
  references: readonly ReferenceData[],
  { codec, fetch }: ArgumentParts,
): Promise<ReadonlyMap<ResultKey, Encoded>> {
  const found = new Map<ResultKey, Encoded>();
  let wanted = references;
  for (let depth = 0; wanted.length > 0; depth += 1) {
    if (depth === LIMITS.valueDepth) throw tooDeep(wanted[0]);
    const fetched = await Promise.all(wanted.map(fetch));
    for (const [index, { key }] of wanted.entries()) found.set(key, fetched[index] as Encoded);
    const next = new Map<ResultKey, ReferenceData>();
    for (const data of fetched.flatMap((value) => codec.references(value)))
      if (!found.has(data.key)) next.set(data.key, data);
    wanted = [...next.values()];
  }
  return found;
}

/** Values of fetched results, each decoded when it is first needed. */
class ResolvedValues {
  readonly #encoded: ReadonlyMap<ResultKey, Encoded>;
  readonly #codec: Codec;
  readonly #values = new Map<ResultKey, unknown>();
  readonly #underWay = new Set<ResultKey>();

  constructor(encoded: ReadonlyMap<ResultKey, Encoded>, codec: Codec) {
    this.#encoded = encoded;
    this.#codec = codec;
  }

  get(key: ResultKey): unknown {
    if (this.#values.has(key)) return this.#values.get(key);
    const encoded = this.#encoded.get(key);
    // A result is kept before there is a reference to it, so only a store that was tampered with has such a circle.
    if (!encoded || this.#underWay.has(key))
      throw new RoutineEngineError('BYTES_MALFORMED', `The result ${key} holds a reference to itself`);
    this.#underWay.add(key);
    const value = this.#codec.decode(encoded, { copy: true, reference: (data) => this.get(data.key) });
    this.#underWay.delete(key);
    this.#values.set(key, value);
    return value;
  }
}

function tooDeep(reference: ReferenceData | undefined): RoutineEngineError {
  return new RoutineEngineError(
    'VALUE_TOO_DEEP',
    `References lead to references more than ${LIMITS.valueDepth} levels deep, at a result of ${reference?.routineId}`,
  );
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
