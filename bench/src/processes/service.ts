import { Lifecycle } from '@routine-engine/core';
import {
  ADAPTER_API_VERSION,
  CLOCK,
  EVENT_FEED,
  IDS,
  LIMITS,
  LOGGER,
  provide,
  type PartGetter,
  type Token,
} from '@routine-engine/core/adapter';
import { Service } from '@routine-engine/core/host';
import { SocketTransport } from '../socket/socket-transport.js';
import { optionsOfParent, serveParent } from './parent.js';
import { PulseMeter } from './pulse-meter.js';

/** A service process: what it is told. */
export interface ServiceOptions {
  readonly address: string;
  /** Milliseconds between two questions for the pulse of a node. */
  readonly heartbeatMs?: number;
}

const SERVICE: Token<Service> = Symbol('service of the benchmark') as Token<Service>;
const { address, heartbeatMs = LIMITS.heartbeatMs } = optionsOfParent<ServiceOptions>();
const pulses = new PulseMeter(heartbeatMs);

async function serve(service: Service, parts: PartGetter): Promise<void> {
  service.serve(pulses.listenerOf(await new SocketTransport(parts.get(CLOCK)).listen(address)));
}

function makeService(parts: PartGetter): Service {
  const [clock, ids, logger, feed] = [
    parts.get(CLOCK),
    parts.get(IDS),
    parts.get(LOGGER),
    parts.get(EVENT_FEED),
  ];
  const service = new Service({ name: 'service', clock, ids, logger, feed, heartbeat: { heartbeatMs } });
  started = serve(service, parts);
  return service;
}

let started: Promise<void> | undefined;
const lifecycle = await Lifecycle.init({
  project: 'bench',
  name: 'service',
  plugins: [
    {
      name: 'bench service',
      api: `^${ADAPTER_API_VERSION}`,
      parts: [provide(SERVICE, makeService, { start: () => started, stop: (service) => service.close() })],
    },
  ],
});
serveParent(
  () => lifecycle.shutdown(),
  () => pulses.take(),
);
