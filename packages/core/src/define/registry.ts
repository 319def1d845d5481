import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import {
  formatRoutineId,
  isFullRoutineId,
  matchesRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import { duplicateRoutine } from './duplicate-routine.js';

interface Registry {
  /** By the id as defined. */
  readonly definitions: Map<string, RoutineDefinition>;
  /** By kind and name: all projects and versions. */
  readonly byName: Map<string, readonly RoutineDefinition[]>;
  /** Handlers of triggers. */
  triggers: readonly RoutineDefinition[];
}

/** One registry a thread, also for a second installed copy of this package. */
const REGISTRY = Symbol.for('@routine-engine/registry.v1');
type WithRegistry = typeof globalThis & { [REGISTRY]?: Registry };
const known = ((globalThis as WithRegistry)[REGISTRY] ??= {
  definitions: new Map(),
  byName: new Map(),
  triggers: [],
});
const { definitions, byName } = known;

const nameKey = (id: NamedRoutineId): string => `${id.kind}:${id.name}`;

/**
 * Adds a routine. The same function again, with other options, takes the place of the older definition.
 * @throws {@link RoutineEngineError} `ROUTINE_DUPLICATE` when another function has the same id.
 */
export function register(definition: RoutineDefinition): void {
  const text = formatRoutineId(definition.id);
  const other = definitions.get(text);
  if (other && other.body !== definition.body) throw duplicateRoutine(text, other, definition);
  const key = nameKey(definition.id);
  const named = byName.get(key) ?? [];
  byName.set(key, other ? named.map((each) => (each === other ? definition : each)) : [...named, definition]);
  definitions.set(text, definition);
  if (definition.trigger || other?.trigger)
    known.triggers = [...definitions.values()].filter(({ trigger }) => trigger !== undefined);
}

/** The routines defined in this thread. */
export const registry: RoutineCatalog = {
  list: () => [...definitions.values()],
  get triggers() {
    return known.triggers;
  },
  get(id) {
    const named = byName.get(nameKey(id)) ?? [];
    const [only] = named;
    if (only && named.length === 1) return matchesRoutineId(only.id, id) ? only : undefined;
    const first = named.find((definition) => matchesRoutineId(definition.id, id));
    const other = named.find((each) => each !== first && matchesRoutineId(each.id, id));
    if (!first || !other) return first;
    // A full id has one meaning: that one of the two leaves its project out makes it no other routine.
    if (first.body !== other.body && isFullRoutineId(id))
      throw duplicateRoutine(formatRoutineId(id), first, other);
    // Of several that fit, only one that is named exactly can be meant.
    return definitions.get(formatRoutineId(id));
  },
  find(id) {
    return this.get(id) ?? notFound(id);
  },
};

function notFound(id: NamedRoutineId): never {
  const text = formatRoutineId(id);
  const all = [...definitions.values()].filter((definition) => definition.kind === id.kind);
  const { version: _, ...anyVersion } = id;
  const versions = all.filter((definition) => matchesRoutineId(definition.id, anyVersion));
  if (versions.length > 0) {
    const names = versions.map((definition) => formatRoutineId(definition.id)).join(', ');
    throw new RoutineEngineError('ROUTINE_VERSION_UNKNOWN', `${text} is not defined here; there is ${names}`);
  }
  const names = all.map((definition) => formatRoutineId(definition.id));
  const there = names.length === 0 ? `no ${id.kind} is` : `there is ${names.slice(0, 20).join(', ')}`;
  throw new RoutineEngineError(
    'ROUTINE_UNKNOWN',
    `${text} is not defined here; ${there}. Import the module that defines it before it is called`,
  );
}
