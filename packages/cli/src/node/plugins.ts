import type { EnginePlugin } from '@routine-engine/core/adapter';
import { RESULT_STORE, TRANSPORT } from '@routine-engine/core/adapter';
import { type CommandContext, configuredPlugins, isConfigured, provides } from './context.js';
import { readText, readToken } from './token.js';

/** The plugins of a worker, or of a client that is linked to its service: those of the configuration, a transport and a store. */
export async function nodePlugins(context: CommandContext): Promise<readonly EnginePlugin[]> {
  return [...(await linkPlugins(context)), ...(await storePlugins(context))];
}

/** The plugins of what runs everything in its own process: those of the configuration that reach no service, and a store. */
export async function localPlugins(context: CommandContext): Promise<readonly EnginePlugin[]> {
  const local = configuredPlugins(context).filter((plugin) => !provides(plugin, TRANSPORT));
  return [...local, ...(await storePlugins(context))];
}

/** The plugins of the configuration, and a transport. */
export async function linkPlugins(context: CommandContext): Promise<readonly EnginePlugin[]> {
  const plugins = configuredPlugins(context);
  return isConfigured(context, TRANSPORT) ? plugins : [...plugins, await webSocketTransport(context)];
}

async function webSocketTransport(context: CommandContext): Promise<EnginePlugin> {
  const { settings, file } = context;
  const { wsTransport } = await import('@routine-engine/transport-ws');
  const { connection = {} } = file?.config ?? {};
  const token = await readToken(context);
  const tlsCa = settings.effective('tlsCa');
  const ca = tlsCa.value === undefined ? undefined : await readText(tlsCa.value, tlsCa.source);
  return wsTransport({
    ...connection,
    url: settings.get('url'),
    ...(token !== undefined && { token }),
    ...(ca !== undefined && { tls: { ...connection.tls, ca } }),
    ...(settings.get('allowPlaintext') && { allowPlaintext: true }),
  });
}

async function storePlugins(context: CommandContext): Promise<readonly EnginePlugin[]> {
  if (isConfigured(context, RESULT_STORE)) return [];
  const dir = context.settings.get('store');
  if (dir === 'memory') return [];
  const { fsStore } = await import('@routine-engine/store-fs');
  return [fsStore({ dir })];
}
