import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Routine } from '@routine-engine/core';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { importModule } from '../import-module.js';

/** A routine of which nobody knows what it takes and gives. */
export type AnyRoutine = Routine<readonly unknown[], unknown>;

/**
 * The routine of a file: the one that is asked for, else its default export, its only workflow, or its only routine.
 * @param wanted - name of an export, or an id as it is defined.
 * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`; `OPTION_INVALID` naming the routines that it has.
 */
export async function findRoutine(module: URL, wanted: string | undefined): Promise<AnyRoutine> {
  const routines = await exportedRoutines(module);
  const found = wanted === undefined ? obvious(routines) : named(routines, wanted);
  if (found) return found;
  const file = basename(fileURLToPath(module));
  const names = [...routines].map(([name, { id }]) => `${name} (${id})`).join(', ');
  if (routines.size === 0) throw invalid(`${file} exports no routine`);
  throw invalid(
    wanted === undefined
      ? `${file} exports several routines: say which by --routine, one of ${names}`
      : `${file} exports no routine ${wanted}; it has ${names}`,
  );
}

/** The routines that a module exports, by name. @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`. */
export async function exportedRoutines(module: URL): Promise<ReadonlyMap<string, AnyRoutine>> {
  return new Map(Object.entries(await importModule(module)).filter(isRoutineEntry));
}

function obvious(routines: ReadonlyMap<string, AnyRoutine>): AnyRoutine | undefined {
  const byDefault = routines.get('default');
  if (byDefault) return byDefault;
  const all = [...new Set(routines.values())];
  const workflows = all.filter(({ kind }) => kind === 'workflow');
  return only(workflows) ?? only(all);
}

function named(routines: ReadonlyMap<string, AnyRoutine>, wanted: string): AnyRoutine | undefined {
  return routines.get(wanted) ?? [...routines.values()].find(({ id }) => id === wanted);
}

function only<T>(list: readonly T[]): T | undefined {
  return list.length === 1 ? list[0] : undefined;
}

function isRoutineEntry(entry: [string, unknown]): entry is [string, AnyRoutine] {
  const [, value] = entry;
  if (typeof value !== 'function') return false;
  const { kind, id } = value as Partial<AnyRoutine>;
  return (kind === 'task' || kind === 'workflow') && typeof id === 'string';
}

function invalid(message: string): RoutineEngineError {
  return new RoutineEngineError('OPTION_INVALID', message);
}
