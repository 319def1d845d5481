import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import { formatRoutineId, type RoutineId } from '../model/routine-id.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';

/**
 * The routine that is to run in this process.
 * @throws {@link RoutineEngineError} `ROUTINE_UNKNOWN` or `ROUTINE_VERSION_UNKNOWN`.
 */
export function findDefinition(catalog: RoutineCatalog, id: RoutineId): RoutineDefinition {
  if (id.form === 'name') return catalog.find(id);
  throw new RoutineEngineError(
    'ROUTINE_UNKNOWN',
    `${formatRoutineId(id)} is an id of a service, and this engine has none`,
  );
}
