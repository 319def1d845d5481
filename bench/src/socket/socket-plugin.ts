import {
  ADAPTER_API_VERSION,
  CLOCK,
  SERVICE_ADDRESS,
  TRANSPORT,
  provide,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import { SocketTransport } from './socket-transport.js';

/** Connects a lifecycle to a service of this machine. @param address - such as `unix:/run/service.sock`. */
export function socketTransport(address: string): EnginePlugin {
  return {
    name: 'bench socketTransport()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(TRANSPORT, (parts) => new SocketTransport(parts.get(CLOCK))),
      provide(SERVICE_ADDRESS, () => address),
    ],
  };
}
