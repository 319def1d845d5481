import {
  ADAPTER_API_VERSION,
  CLOCK,
  provide,
  SERVICE_ADDRESS,
  TRANSPORT,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import { TcpTransport } from './tcp-transport.js';

export { TcpTransport };

/** Connects a lifecycle to a service that listens at the address, such as `tcp://127.0.0.1:7700`. */
export function tcpTransport(address: string): EnginePlugin {
  return {
    name: '{{name}}',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(TRANSPORT, (parts) => new TcpTransport({ clock: parts.get(CLOCK) })),
      provide(SERVICE_ADDRESS, () => address),
    ],
  };
}
