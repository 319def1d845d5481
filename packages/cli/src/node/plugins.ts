import type { EnginePlugin } from '@routine-engine/core/adapter';
import { RESULT_STORE, TRANSPORT } from '@routine-engine/core/adapter';
import { type CommandContext, configuredPlugins, isConfigured } from './context.js';
import { readText, readToken } from './token.js';

/** The plugins of a worker or client: those of the configuration, a transport and a store. */
export async function nodePlugins(
  context: CommandContext,
  linked: boolean,
): Promise<readonly EnginePlugin[]> {
  const transport = linked && !isConfigured(context, TRANSPORT) ? [await webSocketTransport(context)] : [];
  const store = isConfigured(context, RESULT_STORE) ? [] : await directoryStore(context);
  return [...configuredPlugins(context), ...transport, ...store];
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

async function directoryStore({ settings }: CommandContext): Promise<readonly EnginePlugin[]> {
  const dir = settings.get('store');
  if (dir === 'memory') return [];
  const { fsStore } = await import('@routine-engine/store-fs');
  return [fsStore({ dir })];
}
