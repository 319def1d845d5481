import type { RoutineDefinition } from '../model/routine-definition.js';
import type { NamedRoutineId } from '../model/routine-id.js';

/** The routines that are defined in this process (or thread). @public */
export interface RoutineCatalog {
  /** Every routine, in the order of their definition. */
  list(): readonly RoutineDefinition[];
  /** Those of them that are handlers of triggers. The same list as long as there is no other. */
  readonly triggers: readonly RoutineDefinition[];
  /**
   * The routine that an id stands for; of several versions the one asked for, or the only one.
   * @throws {@link RoutineEngineError} `ROUTINE_UNKNOWN` or `ROUTINE_VERSION_UNKNOWN`, naming what is there instead;
   *   `ROUTINE_DUPLICATE` when a full id fits two functions, one defined with its project and one without any.
   */
  find(id: NamedRoutineId): RoutineDefinition;
  /** As `find`, but `undefined` for what is unknown. */
  get(id: NamedRoutineId): RoutineDefinition | undefined;
}
