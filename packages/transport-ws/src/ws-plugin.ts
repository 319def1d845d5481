import {
  ADAPTER_API_VERSION,
  CLOCK,
  provide,
  SERVICE_ADDRESS,
  TRANSPORT,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import type { WsClientOptions } from './options.js';
import { WsTransport } from './ws-transport.js';

/**
 * Connects this lifecycle to a service that listens at a WebSocket address.
 * @param options - `url`: such as `wss://routines.example.org/`, `ws://127.0.0.1:7700/` or `ws+unix:/run/routines.sock`.
 * @throws `OPTION_INVALID` at init for an address or token that can't be used.
 * @public
 */
export function wsTransport(options: WsClientOptions & { readonly url: string }): EnginePlugin {
  const { url, ...rest } = options;
  return {
    name: '@routine-engine/transport-ws wsTransport()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(TRANSPORT, (parts) => new WsTransport({ ...rest, clock: parts.get(CLOCK) })),
      provide(SERVICE_ADDRESS, () => url),
    ],
  };
}
