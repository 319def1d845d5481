import { ADAPTER_API_VERSION, provide, type EnginePlugin, type PartGetter } from '../ports/plugin.js';
import {
  CLOCK,
  EVENT_FEED,
  IDS,
  LOGGER,
  NODE_IDENTITY,
  SERVICE_ADDRESS,
  TRANSPORT,
  type Token,
} from '../ports/tokens.js';
import type { Listener } from '../ports/transport.js';
import { Service, type ServiceParts } from '../service/service.js';
import { SERVICE } from './node-tokens.js';

/** What a service is told beside the parts of its composition. @public */
export type ServiceSettings = Pick<ServiceParts, 'heartbeat' | 'queuedRuns' | 'maxDeliveries' | 'codec'>;

/** How {@link service} is composed. @public */
export interface ServiceOptions extends ServiceSettings {
  /**
   * Open what nodes connect to, such as `() => wsListener({ port: 7700 })`, as the service starts; it closes them when it
   * stops. Default: the transport of the composition listens at its address.
   */
  readonly listeners?: readonly (() => Promise<Listener>)[];
}

/** The listeners of a service, once they are open. Whatever is to dial it gets this part first. */
export const OPEN_SERVICE: Token<OpenService> = Symbol.for(
  '@routine-engine/open-service',
) as Token<OpenService>;

interface OpenService {
  open(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Makes this lifecycle a service, which finds workers for the runs that clients request. It has the lifecycle's name. Nodes
 * whose service stops try to come back, and their runs go on when it is started anew at the same address.
 *
 * Such a lifecycle is no client: what is called in it runs in the calling thread.
 * @example
 * ```ts
 * await using lifecycle = await Lifecycle.init({
 *   project: 'news',
 *   name: 'service',
 *   plugins: [service({ listeners: [() => wsListener({ port: 7700 })] })],
 * });
 * ```
 * @throws at init, what the listeners throw, such as `TRANSPORT_ADDRESS_IN_USE` or `LISTENER_EXPOSED`; `PLUGIN_MISSING` when
 *   there are neither listeners nor a transport.
 * @public
 */
export function service(options: ServiceOptions = {}): EnginePlugin {
  const { listeners, ...settings } = options;
  return {
    name: '@routine-engine/core service()',
    api: ADAPTER_API_VERSION,
    needs: listeners ? [] : [TRANSPORT, SERVICE_ADDRESS],
    parts: [
      provide(SERVICE, (parts) => makeService(parts, parts.get(NODE_IDENTITY).name, settings)),
      provide(OPEN_SERVICE, (parts) => openService(parts, listeners), {
        start: (opened) => opened.open(),
        stop: (opened) => opened.close(),
      }),
    ],
  };
}

/** A service of the parts of a composition. Whoever makes it has it serve listeners, and closes it. @public */
export function makeService(parts: PartGetter, name: string, settings: ServiceSettings = {}): Service {
  return new Service({
    ...settings,
    name,
    clock: parts.get(CLOCK),
    ids: parts.get(IDS),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
  });
}

function openService(parts: PartGetter, listeners: ServiceOptions['listeners']): OpenService {
  const made = parts.get(SERVICE);
  const openers = listeners ?? [listenerOf(parts)];
  return {
    close: () => made.close(),
    async open() {
      try {
        for (const open of openers) made.serve(await open());
      } catch (error) {
        await made.close();
        throw error;
      }
    },
  };
}

function listenerOf(parts: PartGetter): () => Promise<Listener> {
  const transport = parts.get(TRANSPORT);
  const address = parts.get(SERVICE_ADDRESS);
  return () => transport.listen(address);
}
