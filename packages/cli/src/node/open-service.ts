import { Lifecycle } from '@routine-engine/core';
import type { Listener } from '@routine-engine/core/adapter';
import { service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { type CommandContext, configuredPlugins } from './context.js';
import { Health } from './health.js';
import { readText, readToken } from './token.js';

/** A service that nodes can connect to. */
export interface OpenService {
  /** Where it listens. */
  readonly url: string;
  /** Says that nodes are not to be sent here any more. */
  retire(): void;
  /** Closes it, which its nodes hear. */
  close(): Promise<void>;
}

/** @throws what listening throws, such as `TRANSPORT_ADDRESS_IN_USE` or `LISTENER_EXPOSED`; `OPTION_INVALID`. */
export async function openService(context: CommandContext): Promise<OpenService> {
  const { settings } = context;
  const health = new Health();
  const opened: Listener[] = [];
  const listen = async (): Promise<Listener> => {
    const listener = await openListener(context, health);
    opened.push(listener);
    return listener;
  };
  const lifecycle = await Lifecycle.init({
    project: settings.get('project'),
    name: settings.get('name') ?? 'service',
    plugins: [
      ...configuredPlugins(context),
      service({
        listeners: [listen],
        queuedRuns: settings.get('queuedRuns'),
        maxDeliveries: settings.get('maxDeliveries'),
        ...(context.file?.config.heartbeat && { heartbeat: context.file.config.heartbeat }),
      }),
    ],
  });
  health.isReady = true;
  return {
    url: opened.map(({ address }) => address).join(' '),
    retire: () => void (health.isReady = false),
    close: () => lifecycle.shutdown(),
  };
}

async function openListener(context: CommandContext, health: Health): Promise<Listener> {
  const { settings, file } = context;
  const { listener = {} } = file?.config ?? {};
  const token = await readToken(context);
  return wsListener({
    ...listener,
    host: settings.get('host'),
    port: settings.get('port'),
    onRequest: health.answer,
    ...(token !== undefined && {
      auth: { ...listener.auth, tokens: [...(listener.auth?.tokens ?? []), { token }] },
    }),
    ...(await tlsOf(context)),
    ...(settings.get('allowPlaintext') && { allowPlaintext: true }),
  });
}

async function tlsOf({ settings, file }: CommandContext): Promise<object> {
  const [cert, key] = [settings.effective('tlsCert'), settings.effective('tlsKey')];
  if (cert.value === undefined || key.value === undefined) return {};
  const pair = { cert: await readText(cert.value, cert.source), key: await readText(key.value, key.source) };
  return { tls: { ...file?.config.listener?.tls, ...pair } };
}
