import process from 'node:process';
import { Lifecycle } from '@routine-engine/core';
import type { Listener } from '@routine-engine/core/adapter';
import { service } from '@routine-engine/core/host';
import { wsListener } from '@routine-engine/transport-ws';
import { EXIT } from '../exit-codes.js';
import { hearStopSignals } from '../stop-signals.js';
import type { GivenFlags } from '../settings/settings.js';
import { type CommandContext, commandContext, configuredPlugins } from './context.js';
import { Health } from './health.js';
import { readText, readToken } from './token.js';

/**
 * Is a service until a signal stops it. Its address goes to standard output, once nodes can connect.
 * @returns the exit code.
 */
export async function serve(flags: GivenFlags): Promise<number> {
  const context = await commandContext(flags);
  const { settings } = context;
  const health = new Health();
  const opened: Listener[] = [];
  const listen = async (): Promise<Listener> => {
    const listener = await openListener(context, health);
    opened.push(listener);
    return listener;
  };
  const signals = hearStopSignals((signal) => {
    health.isReady = false;
    process.stderr.write(`${signal}: stops; nodes are told, and look for the next service at this address\n`);
  });
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
  process.stdout.write(`${opened.map(({ address }) => address).join('\n')}\n`);
  await signals.first;
  await lifecycle.shutdown();
  signals.leave();
  return EXIT.ok;
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
