import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineDefinition } from '../model/routine-definition.js';

/** Two functions cannot share an id: a call, and a result that is kept, could mean either. Names both places. */
export function duplicateRoutine(
  id: string,
  one: RoutineDefinition,
  other: RoutineDefinition,
): RoutineEngineError {
  return new RoutineEngineError(
    'ROUTINE_DUPLICATE',
    `Two different functions have the id ${id}: one defined at ${one.definedAt ?? 'an unknown place'}, ` +
      `one at ${other.definedAt ?? 'an unknown place'}. Give one another name, version or project`,
  );
}
