import process from 'node:process';
import type { EnginePlugin, Token } from '@routine-engine/core/adapter';
import { loadConfig, type LoadedConfig } from '../config/load-config.js';
import { type GivenFlags, Settings } from '../settings/settings.js';

/** What a command works with: settings, and the configuration that some of them come from. */
export interface CommandContext {
  readonly settings: Settings;
  readonly file: LoadedConfig | undefined;
  readonly environment: NodeJS.ProcessEnv;
  readonly cwd: string;
}

/**
 * Gathers flags, environment and configuration.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, `ROUTINE_MODULE_FAILED`.
 */
export async function commandContext(flags: GivenFlags): Promise<CommandContext> {
  const cwd = process.cwd();
  const given = { flags, environment: process.env, cwd };
  const path = new Settings({ ...given, file: undefined }).get('config');
  const file = await loadConfig(path, cwd);
  return { settings: new Settings({ ...given, file }), file, environment: process.env, cwd };
}

/** The plugins of the configuration. */
export function configuredPlugins({ file }: CommandContext): readonly EnginePlugin[] {
  return file?.config.plugins ?? [];
}

/** Whether a plugin of the configuration has such a part. */
export function isConfigured(context: CommandContext, token: Token<unknown>): boolean {
  return configuredPlugins(context).some((plugin) => provides(plugin, token));
}

/** Whether a plugin has such a part. */
export function provides({ parts }: EnginePlugin, token: Token<unknown>): boolean {
  return parts.some((part) => part.token === token);
}
