import { ambientEngine } from '../context/ambient.js';
import type { Ref } from '../context/ref.js';
import { currentScope } from '../context/run-scope.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import { referenceData } from '../model/reference.js';
import type { RoutineEngine } from '../ports/routine-engine.js';
import { callOf, type RoutineCaller } from './define.js';
import type { OrRefs } from './or-ref.js';

/**
 * Says whether a call would be answered from the store, and if not, which stored result comes nearest and exactly what
 * differs. Runs nothing; reads the list of all results.
 * @param routine - a routine, or what its `with` gave: its options count.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` for what is no routine; as a call does for arguments that can't be
 *   carried; `STORE_UNREACHABLE`.
 * @public
 */
export async function explain<Args extends readonly unknown[], Result>(
  routine: RoutineCaller<Args, Result>,
  ...args: OrRefs<Args>
): Promise<Explanation> {
  return inspectingEngine().explain(callOf(routine, args));
}

/**
 * Walks from a result to those that it was computed from, as far as they were arguments by reference.
 * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE` when this lifecycle has another store; `STORE_UNREACHABLE`.
 * @public
 */
export async function provenance(ref: Ref<unknown>): Promise<Provenance> {
  const data = referenceData(ref);
  if (!data)
    throw new RoutineEngineError('OPTION_INVALID', 'provenance() was given something else than a Ref');
  return inspectingEngine().provenance(data);
}

function inspectingEngine(): Pick<RoutineEngine, 'explain' | 'provenance'> {
  const engine: Partial<RoutineEngine> = currentScope()?.engine ?? ambientEngine();
  const { explain: explains, provenance: walks } = engine;
  if (explains && walks) {
    return { explain: explains.bind(engine), provenance: walks.bind(engine) };
  }
  throw new RoutineEngineError(
    'LIFECYCLE_CLOSED',
    'explain() and provenance() work where a lifecycle is open, not inside a routine on a background thread',
  );
}
