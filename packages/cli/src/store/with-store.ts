import { Lifecycle } from '@routine-engine/core';
import { type PartGetter, RESULT_STORE, type ResultStore } from '@routine-engine/core/adapter';
import { type CommandContext, commandContext } from '../node/context.js';
import { lookingPlugin } from '../node/looking-plugin.js';
import { localPlugins } from '../node/plugins.js';
import type { GivenFlags } from '../settings/settings.js';

/** What a command has that looks into a store. */
export interface StoreAccess {
  readonly context: CommandContext;
  readonly lifecycle: Lifecycle;
  readonly store: ResultStore;
  readonly parts: PartGetter;
}

/** Opens the composed store for a command. @throws as {@link openStore} does. */
export async function withStore<T>(flags: GivenFlags, use: (access: StoreAccess) => Promise<T>): Promise<T> {
  return openStore(await commandContext(flags), use);
}

/**
 * Opens the composed store, without reaching for a service.
 * @throws what opening it throws, and what `use` throws.
 */
export async function openStore<T>(
  context: CommandContext,
  use: (access: StoreAccess) => Promise<T>,
): Promise<T> {
  const seen: PartGetter[] = [];
  const lifecycle = await Lifecycle.init({
    project: context.settings.get('project'),
    name: context.settings.get('name') ?? 'client',
    plugins: [...(await localPlugins(context)), lookingPlugin((parts) => void seen.push(parts))],
  });
  try {
    const [parts] = seen as [PartGetter];
    return await use({ context, lifecycle, parts, store: parts.get(RESULT_STORE) });
  } finally {
    await lifecycle.shutdown();
  }
}
