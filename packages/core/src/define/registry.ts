import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { RoutineDefinition } from '../model/routine-definition.js';
import { formatRoutineId, matchesRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';

interface Registry {
  /** By the id as defined. */
  readonly definitions: Map<string, RoutineDefinition>;
  /** By kind and name: all projects and versions. */
  readonly byName: Map<string, readonly RoutineDefinition[]>;
}

/** One registry a thread, also for a second installed copy of this package. */
const REGISTRY = Symbol.for('@routine-engine/registry.v1');
type WithRegistry = typeof globalThis & { [REGISTRY]?: Registry };
const { definitions, byName } = ((globalThis as WithRegistry)[REGISTRY] ??= {
  definitions: new Map(),
  byName: new Map(),
});

const nameKey = (id: NamedRoutineId): string => `${id.kind}:${id.name}`;

/**
 * Adds a routine.
 * @throws {@link RoutineEngineError} `ROUTINE_DUPLICATE` when another function has the same id.
 */
export function register(definition: RoutineDefinition): void {
  const text = formatRoutineId(definition.id);
  const other = definitions.get(text);
  if (other && other.body !== definition.body) {
    throw new RoutineEngineError(
      'ROUTINE_DUPLICATE',
      `Two different functions have the id ${text}: one defined at ${other.definedAt ?? 'an unknown place'}, ` +
        `one at ${definition.definedAt ?? 'an unknown place'}. Give one another name, version or project`,
    );
  }
  if (!other) {
    const key = nameKey(definition.id);
    byName.set(key, [...(byName.get(key) ?? []), definition]);
  }
  definitions.set(text, definition);
}

/** The routines defined in this thread. */
export const registry: RoutineCatalog = {
  list: () => [...definitions.values()],
  get(id) {
    const named = byName.get(nameKey(id)) ?? [];
    const first = named.find((definition) => matchesRoutineId(definition.id, id));
    const several = named.some((other) => other !== first && matchesRoutineId(other.id, id));
    // Of several that fit, only one that is named exactly can be meant.
    return several ? definitions.get(formatRoutineId(id)) : first;
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
