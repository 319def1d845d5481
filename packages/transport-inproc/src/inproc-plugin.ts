import {
  ADAPTER_API_VERSION,
  SERVICE_ADDRESS,
  TRANSPORT,
  provide,
  type EnginePlugin,
} from '@routine-engine/core/adapter';
import type { InprocTransport } from './inproc-transport.js';

/**
 * Connects this lifecycle to a service that listens on the same in-process transport.
 * @param options - `address`: where the service listens, such as `inproc:service`.
 * @public
 */
export function inprocTransport(options: {
  readonly transport: InprocTransport;
  readonly address: string;
}): EnginePlugin {
  return {
    name: '@routine-engine/transport-inproc inprocTransport()',
    api: `^${ADAPTER_API_VERSION}`,
    parts: [provide(TRANSPORT, () => options.transport), provide(SERVICE_ADDRESS, () => options.address)],
  };
}
