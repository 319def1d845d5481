import { dropBody } from '../model/body.js';
import type { Provenance } from '../model/explanation.js';
import type { ResultInput, ResultKey } from '../model/result.js';
import type { ResultStore } from '../ports/result-store.js';

/** Results that one walk visits at most; what is beyond is named without its inputs. */
const MOST_RESULTS = 10_000;

/**
 * Walks from a result to those that it was computed from. Each is visited once; met again, it is named without its inputs.
 * @throws what the store throws.
 */
export async function provenanceOf(store: ResultStore, of: ResultInput): Promise<Provenance> {
  const met = new Set<ResultKey>();
  const walk = async ({ key, routineId, store: identity }: ResultInput): Promise<Provenance> => {
    if (met.has(key) || met.size >= MOST_RESULTS || identity !== store.identity)
      return { key, routineId, inputs: [] };
    met.add(key);
    const found = await store.get(key);
    dropBody(found?.body);
    const metadata = found?.metadata;
    if (!metadata) return { key, routineId, inputs: [] };
    const inputs: Provenance[] = [];
    for (const input of metadata.inputs ?? []) inputs.push(await walk(input));
    return { key, routineId, metadata, inputs };
  };
  return walk(of);
}
