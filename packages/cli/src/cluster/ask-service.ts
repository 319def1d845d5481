import { Lifecycle } from '@routine-engine/core';
import { commandContext } from '../node/context.js';
import { linkPlugins } from '../node/plugins.js';
import type { GivenFlags } from '../settings/settings.js';

/**
 * Asks a service as a client, and leaves it again.
 * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`, `TRANSPORT_REFUSED`; what `ask` throws.
 */
export async function askService<T>(
  flags: GivenFlags,
  ask: (lifecycle: Lifecycle) => Promise<T>,
): Promise<T> {
  const context = await commandContext(flags);
  const lifecycle = await Lifecycle.init({
    project: context.settings.get('project'),
    name: context.settings.get('name') ?? 'client',
    plugins: await linkPlugins(context),
  });
  try {
    return await ask(lifecycle);
  } finally {
    await lifecycle.shutdown();
  }
}
