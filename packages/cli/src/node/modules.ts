import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import type { CommandContext } from './context.js';

/**
 * The modules that define routines: those that are given, else those of the settings.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` for a file that is not there.
 */
export function routineModules({ settings, cwd }: CommandContext, given: readonly string[]): readonly URL[] {
  const named: readonly (string | URL)[] =
    given.length > 0 ? given.map((each) => resolve(cwd, each)) : (settings.get('modules') ?? []);
  return named.map(moduleUrl);
}

function moduleUrl(module: string | URL): URL {
  const text = String(module);
  const url = text.startsWith('file:') ? new URL(text) : pathToFileURL(text);
  if (existsSync(url)) return url;
  throw new RoutineEngineError('OPTION_INVALID', `There is no module ${fileURLToPath(url)}`);
}
