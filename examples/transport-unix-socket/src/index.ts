/**
 * Links nodes of one machine by Unix sockets.
 * @packageDocumentation
 */
import {
  ADAPTER_API_VERSION,
  CLOCK,
  provide,
  SERVICE_ADDRESS,
  TRANSPORT,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import { UnixSocketTransport } from './unix-socket-transport.js';

export { UnixSocketTransport };

/** Connects this lifecycle to a service that listens at a Unix socket. @param address - such as `unix:/run/routines.sock`. */
export function unixSocketTransport(address: string): EnginePlugin {
  return {
    name: 'routine-engine-transport-unix-socket',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [
      provide(TRANSPORT, (parts) => new UnixSocketTransport({ clock: parts.get(CLOCK) })),
      provide(SERVICE_ADDRESS, () => address),
    ],
  };
}
