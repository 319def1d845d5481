import { argumentsDigestOf, cacheOptionsOf, isRemembered } from '../context/encode-call.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import type { ReferenceData } from '../model/reference.js';
import { completeRoutineId, formatRoutineId } from '../model/routine-id.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { EngineParts } from './engine-parts.js';

/** Says what is known of results, without running anything. */
export class ResultInspector {
  readonly #parts: EngineParts;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  async explain(call: RoutineCall): Promise<Explanation> {
    const { cache, codec, catalog, identity } = this.#parts;
    const id = call.id.form === 'name' ? completeRoutineId(call.id, { project: identity.project }) : call.id;
    const routineId = formatRoutineId(id);
    if (id.form !== 'name' || id.kind === 'workflow')
      return { status: 'miss', why: `${routineId} is no task that is named: it is run every time` };
    if (!cache) return { status: 'miss', why: 'nothing is remembered here, since there is no store' };
    if (!isRemembered(call)) return { status: 'miss', why: `cache is false for ${routineId}` };
    const options = cacheOptionsOf(call);
    const encoded = {
      ...{ runId: '', rootRunId: '', routineId, attempt: 1 },
      arguments: codec.encode(call.args, { path: 'args' }),
      argumentsDigest: argumentsDigestOf(call, options, codec),
      remember: { maxAgeMs: options.ttlMs },
    };
    return cache.explain(encoded, { sourceHash: (call.definition ?? catalog.get(id))?.sourceHash });
  }

  async provenance(reference: ReferenceData): Promise<Provenance> {
    const { cache, contents } = this.#parts;
    contents.assertStore(reference);
    if (cache) return cache.provenance(reference);
    throw new RoutineEngineError(
      'REFERENCE_UNREACHABLE',
      'Nothing is remembered here, since there is no store',
    );
  }
}
