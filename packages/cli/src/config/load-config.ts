import { access } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { SETTINGS } from '../settings/table.js';
import { importModule } from '../import-module.js';
import type { RoutineConfig } from './routine-config.js';

/** A configuration file, and what it says. */
export interface LoadedConfig {
  readonly config: RoutineConfig;
  /** Its name, for messages. */
  readonly file: string;
  /** Its folder, which its paths are relative to. */
  readonly dir: string;
}

const NAMES = ['ts', 'mts', 'js', 'mjs'].map((ending) => `routine.config.${ending}`);
const OTHERS: readonly (keyof RoutineConfig)[] = ['plugins', 'listener', 'connection', 'heartbeat'];

/**
 * Loads a configuration file, or the one in a folder, if there is one.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` for what is no configuration, naming the option that there is not.
 */
export async function loadConfig(path: string | undefined, cwd: string): Promise<LoadedConfig | undefined> {
  const found = path === undefined ? await firstOf(cwd) : resolve(cwd, path);
  if (found === undefined) return undefined;
  if (!(await exists(found)))
    throw new RoutineEngineError('OPTION_INVALID', `There is no configuration file ${found}`);
  const { default: config } = (await importModule(pathToFileURL(found))) as { readonly default?: unknown };
  const file = basename(found);
  assertConfig(config, file);
  return { config, file, dir: dirname(found) };
}

async function firstOf(dir: string): Promise<string | undefined> {
  for (const name of NAMES) if (await exists(resolve(dir, name))) return resolve(dir, name);
  return undefined;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

function assertConfig(config: unknown, file: string): asserts config is RoutineConfig {
  const refuse = (what: string): never => {
    throw new RoutineEngineError('OPTION_INVALID', `${file} ${what}`);
  };
  if (typeof config !== 'object' || config === null)
    return refuse('must export its configuration: export default defineConfig({ ... })');
  const known = [...Object.keys(SETTINGS).filter((name) => name !== 'config'), ...OTHERS];
  const unknown = Object.keys(config).find((name) => !known.includes(name));
  if (unknown !== undefined) refuse(`has no option ${unknown}; there are ${known.join(', ')}`);
  const { plugins, listener, connection, heartbeat } = config as Readonly<Record<string, unknown>>;
  if (plugins !== undefined && !Array.isArray(plugins)) refuse('must have a list of plugins');
  for (const [name, value] of Object.entries({ listener, connection, heartbeat }))
    if (value !== undefined && (typeof value !== 'object' || value === null))
      refuse(`must have an object as ${name}`);
  if (!Object.values(heartbeat ?? {}).every((limit) => Number.isFinite(limit) && (limit as number) > 0))
    refuse('must have milliseconds above 0 in heartbeat');
}
