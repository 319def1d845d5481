import type { OfferedRoutine, RoutineDefinition } from '../model/routine-definition.js';
import { completeRoutineId, formatRoutineId } from '../model/routine-id.js';
import type { OfferedTrigger, TriggerRule } from '../model/trigger.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import { duplicateRoutine } from './duplicate-routine.js';

/**
 * The routines of a catalog that a node of this project can run, by their full ids. Routines of other projects are
 * left out: a module may define some for several.
 * @throws {@link RoutineEngineError} `ROUTINE_DUPLICATE` when two functions have one full id, since one of them names the
 *   project and the other does not.
 */
export function offeredRoutines(catalog: RoutineCatalog, project: string): OfferedRoutine[] {
  const offered = new Map<string, RoutineDefinition>();
  for (const definition of catalog.list()) {
    const { id } = definition;
    if (id.project !== undefined && id.project !== project) continue;
    const routineId = formatRoutineId(completeRoutineId(id, { project }));
    const other = offered.get(routineId);
    if (other && other.body !== definition.body) throw duplicateRoutine(routineId, other, definition);
    offered.set(routineId, definition);
  }
  return [...offered].map(([routineId, { sourceHash, trigger }]) => ({
    routineId,
    sourceHash,
    ...(trigger && { trigger: offeredTrigger(trigger, project) }),
  }));
}

/** A trigger as plain data. One that names no project is about that of its node. */
export function offeredTrigger({ on, when, options }: TriggerRule, project: string): OfferedTrigger {
  return { on: formatRoutineId({ ...on, project: on.project ?? project }), when, options };
}
