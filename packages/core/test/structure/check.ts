import { posix } from 'node:path';
import { readModule } from './read-module.js';
import type { ReadModule } from './read-module.js';
import {
  doors,
  emptyNames,
  maxLines,
  platformFiles,
  restrictedGlobals,
  restrictedImports,
  roomExceptions,
  rooms,
} from './rooms.js';

/** A source file as the checks see it. `path` is relative to the folder of all sources of its package. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** Every breach of a rule in one file of core, each as one line that names file, finding and rule. */
export function checkCore({ path, text }: Source): string[] {
  const module = readModule(path, text);
  return [
    ...roomBreaches(path, module),
    ...restrictedImportBreaches(path, module),
    ...globalBreaches(path, module),
    ...shapeBreaches(path, module, doors),
  ];
}

/** The same for one file of an adapter. `allowed` lists the specifiers of core's doors, `entries` the adapter's own doors. */
export function checkAdapter(
  { path, text }: Source,
  allowed: readonly string[],
  entries: readonly string[] = ['index.ts'],
): string[] {
  const module = readModule(path, text);
  const rule = `an adapter imports core through its doors (${allowed.join(', ')}) and no other adapter`;
  return [...outsideBreaches(path, module, allowed, rule), ...shapeBreaches(path, module, entries)];
}

/** The same for one file of a program that composes adapters. `allowed` lists the doors of core and of adapters. */
export function checkProgram(
  { path, text }: Source,
  allowed: readonly string[],
  entries: readonly string[],
): string[] {
  const module = readModule(path, text);
  const rule = `a program imports core and adapters through their doors (${allowed.join(', ')})`;
  return [...outsideBreaches(path, module, allowed, rule), ...shapeBreaches(path, module, entries)];
}

/** The same for one file of an example. `allowed` lists what an application installs. */
export function checkExample({ path, text }: Source, allowed: readonly string[]): string[] {
  const module = readModule(path, text);
  const rule = `an example imports what an application would (${allowed.join(', ')})`;
  return [...outsideBreaches(path, module, allowed, rule), ...shapeBreaches(path, module, [])];
}

/** The first cycle in a table of who may import whom, as a list of rooms that begins and ends alike. */
export function findCycle(table: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const clear = new Set<string>();
  const search = (room: string, trail: readonly string[]): string[] | undefined => {
    if (trail.includes(room)) return [...trail.slice(trail.indexOf(room)), room];
    if (clear.has(room)) return undefined;
    for (const next of table.get(room) ?? []) {
      const cycle = search(next, [...trail, room]);
      if (cycle) return cycle;
    }
    clear.add(room);
    return undefined;
  };
  for (const room of table.keys()) {
    const cycle = search(room, []);
    if (cycle) return cycle;
  }
  return undefined;
}

/** The room a file lies in: the deepest of the table, so that a room may lie within another. */
function roomOf(path: string): string | undefined {
  return [...rooms.keys()]
    .filter((room) => path.startsWith(`${room}/`))
    .toSorted((a, b) => b.length - a.length)[0];
}

function roomBreaches(path: string, { imports }: ReadModule): string[] {
  const isDoor = doors.includes(path);
  const room = roomOf(path);
  if (!isDoor && room === undefined)
    return [`${path} lies in no room: rooms are ${[...rooms.keys()].join(', ')}`];
  const extra = roomExceptions.filter(({ files }) => files.test(path)).flatMap(({ mayImport }) => mayImport);
  const allowed = room === undefined ? [] : [...(rooms.get(room) ?? []), ...extra];

  return imports.flatMap(({ specifier, line }) => {
    const breach = (rule: string) => [`${path}:${line} imports '${specifier}': ${rule}`];
    if (specifier.startsWith('@routine-engine/'))
      return breach('core imports no adapter, and itself by paths');
    if (!specifier.startsWith('.')) return [];
    const target = posix.join(posix.dirname(path), specifier).replace(/\.js$/, '.ts');
    if (target.startsWith('..')) return breach('an import stays within the sources of its package');
    if (isDoor) return [];
    if (doors.includes(target)) return breach('a room imports no door');
    const other = roomOf(target);
    if (other === undefined) return breach('the target lies in no room');
    if (other === room || allowed.includes(other)) return [];
    return breach(`${room} may import only ${allowed.join(', ') || 'itself'}`);
  });
}

function restrictedImportBreaches(path: string, { imports }: ReadModule): string[] {
  return imports.flatMap(({ specifier, line, names }) =>
    restrictedImports
      .filter(({ module, files }) => module.test(specifier) && !files.test(path))
      .filter((restriction) => !restriction.names || names.some((name) => restriction.names?.includes(name)))
      .map(({ rule }) => `${path}:${line} imports '${specifier}': ${rule}`),
  );
}

function globalBreaches(path: string, { globals }: ReadModule): string[] {
  if (platformFiles.test(path)) return [];
  return globals
    .filter(({ name }) => restrictedGlobals.includes(name))
    .map(({ name, line }) => `${path}:${line} uses ${name}: time and chance come from ports`);
}

function outsideBreaches(
  path: string,
  { imports }: ReadModule,
  allowed: readonly string[],
  rule: string,
): string[] {
  return imports
    .filter(({ specifier }) =>
      specifier.startsWith('.')
        ? posix.join(posix.dirname(path), specifier).startsWith('..')
        : specifier.startsWith('@routine-engine/') && !allowed.includes(specifier),
    )
    .map(({ specifier, line }) => `${path}:${line} imports '${specifier}': ${rule}`);
}

function shapeBreaches(path: string, module: ReadModule, entries: readonly string[]): string[] {
  const breaches: string[] = [];
  if (module.lines > maxLines) breaches.push(`${path} has ${module.lines} lines: at most ${maxLines}`);
  if (path.split('/').some((part) => emptyNames.test(part)))
    breaches.push(`${path} is named utils or helpers: name it after what it does`);
  const isIndex = posix.basename(path) === 'index.ts';
  if (!entries.includes(path) && (isIndex || module.onlyReExports))
    breaches.push(`${path} is a barrel: only entry points hand on what other files export`);
  return breaches;
}
