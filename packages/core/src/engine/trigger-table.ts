import { offeredTrigger } from '../define/offered-routines.js';
import type { OfferedRoutine, RoutineDefinition } from '../model/routine-definition.js';
import {
  completeRoutineId,
  formatRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type RoutineId,
} from '../model/routine-id.js';
import type { HandlerOptions, TriggerWhen } from '../model/trigger.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';

/** A trigger that is in force. */
export interface KnownTrigger {
  /** Full id of the workflow that its handler runs as; it stands for the trigger. */
  readonly id: RoutineId;
  readonly routineId: string;
  /** Absent when the handler is defined only in background threads. */
  readonly definition: RoutineDefinition | undefined;
  readonly options: HandlerOptions | undefined;
  readonly on: RoutineId;
  readonly when: readonly TriggerWhen[];
}

/** The triggers that are in force: the same list as long as nothing changed. */
export type TriggerSource = () => readonly KnownTrigger[];

const NONE: readonly KnownTrigger[] = [];
/** Ids come again and again, and are few; one that sends many must not fill the memory. */
const MOST_REMEMBERED = 1_000;

/** Finds the triggers of a run. While there is none that costs one test, else one look-up. */
export class TriggerTable {
  readonly #source: TriggerSource;
  #known: readonly KnownTrigger[] = NONE;
  readonly #watching = new Map<string, readonly KnownTrigger[]>();

  constructor(source: TriggerSource) {
    this.#source = source;
  }

  /** The triggers of the runs of a routine, in the order of their definition; `undefined` for none. */
  watching(routineId: string): readonly KnownTrigger[] | undefined {
    const known = this.#source();
    if (known.length === 0) return undefined;
    if (known !== this.#known) {
      this.#known = known;
      this.#watching.clear();
    }
    const watching = this.#watching.get(routineId) ?? this.#find(routineId);
    return watching.length === 0 ? undefined : watching;
  }

  #find(routineId: string): readonly KnownTrigger[] {
    const id = parseRoutineId(routineId);
    const found = this.#known.filter(({ on }) => matchesRoutineId(on, id));
    if (this.#watching.size >= MOST_REMEMBERED) this.#watching.clear();
    this.#watching.set(routineId, found);
    return found;
  }
}

/** The triggers that are defined in this thread. Those of other projects are left out, as their routines are. */
export function definedTriggers(catalog: RoutineCatalog, project: string): TriggerSource {
  let definitions: readonly RoutineDefinition[] = [];
  let known = NONE;
  return () => {
    if (definitions === catalog.triggers) return known;
    definitions = catalog.triggers;
    known = definitions.flatMap((definition) => {
      const { id, trigger } = definition;
      if (!trigger || (id.project !== undefined && id.project !== project)) return [];
      const full = completeRoutineId(id, { project });
      const { on, when, options } = offeredTrigger(trigger, project);
      const routineId = formatRoutineId(full);
      return [{ id: full, routineId, definition, options, on: parseRoutineId(on), when }];
    });
    return known;
  };
}

/** The triggers among the routines that the threads of a worker offer. */
export function triggersOffered(routines: readonly OfferedRoutine[]): readonly KnownTrigger[] {
  return routines.flatMap(({ routineId, trigger }) => {
    if (!trigger) return [];
    const { on, when, options } = trigger;
    const id = parseRoutineId(routineId);
    return [{ id, routineId, definition: undefined, options, on: parseRoutineId(on), when }];
  });
}
