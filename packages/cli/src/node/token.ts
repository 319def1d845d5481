import { readFile } from 'node:fs/promises';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import type { Effective } from '../settings/settings.js';
import type { CommandContext } from './context.js';

const VARIABLE = 'ROUTINE_TOKEN';

/** Where the token comes from, but not the token. */
export function tokenSource({ settings, environment }: CommandContext): Omit<Effective<string>, 'value'> {
  const { value, source, from } = settings.effective('tokenFile');
  const isInEnvironment = Boolean(environment[VARIABLE]);
  if (isInEnvironment && from !== 'flag') return { source: VARIABLE, from: 'environment' };
  return { source: value === undefined ? 'none' : source, from };
}

/**
 * The token of this node: of the flag `--token-file`, else of `ROUTINE_TOKEN`, else of the file that environment or
 * configuration name.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` when the file has none, without what is in it.
 */
export async function readToken(context: CommandContext): Promise<string | undefined> {
  const { settings, environment } = context;
  if (tokenSource(context).source === VARIABLE) return environment[VARIABLE];
  const { value: path, source } = settings.effective('tokenFile');
  if (path === undefined) return undefined;
  const token = firstLine(await readText(path, source));
  if (token !== '') return token;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `The first line of ${path} (${source}) is empty, but should be a token`,
  );
}

/**
 * Reads a file that a setting names.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` naming the setting.
 */
export async function readText(path: string, source: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new RoutineEngineError('OPTION_INVALID', `${path} (${source}) can't be read: ${code}`, { cause });
  }
}

function firstLine(text: string): string {
  return text.split(/\r?\n/, 1)[0]?.trim() ?? '';
}
