import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import type { Spool } from './blob-store.js';
import type { Clock } from './clock.js';
import type { Codec } from './codec.js';
import type { ExecutionPolicy } from './execution-policy.js';
import type { Ids } from './ids.js';
import type { Logger } from './logger.js';
import type { Random } from './random.js';
import type { ResultStore } from './result-store.js';
import type { RoutineCatalog } from './routine-catalog.js';
import type { RoutineEngine } from './routine-engine.js';
import type { Serializer } from './serializer.js';
import type { Transport } from './transport.js';

declare const provides: unique symbol;

/** Names a part, and what type it has. @public */
export type Token<T> = symbol & { readonly [provides]?: T };

/** Who this node is: given by `Lifecycle.init`. @public */
export interface NodeIdentity {
  /** Name of the node in events, such as `client`. */
  readonly name: string;
  /** Project that missing parts of routine ids are filled in with. */
  readonly project: string;
}

const token = <T>(name: string): Token<T> => Symbol.for(`@routine-engine/${name}`) as Token<T>;

/** @public */
export const NODE_IDENTITY: Token<NodeIdentity> = token('node-identity');
/** @public */
export const CLOCK: Token<Clock> = token('clock');
/** @public */
export const RANDOM: Token<Random> = token('random');
/** @public */
export const IDS: Token<Ids> = token('ids');
/** @public */
export const LOGGER: Token<Logger> = token('logger');
/** Where parts tell what happens; `lifecycle.events$` is its other end. @public */
export const EVENT_FEED: Token<EventFeed<EngineEvent>> = token('event-feed');
/** @public */
export const CODEC: Token<Codec> = token('codec');
/** Contributed by any number of plugins. @public */
export const SERIALIZER: Token<Serializer> = token('serializer');
/** @public */
export const RESULT_STORE: Token<ResultStore> = token('result-store');
/** Where long streams in results wait when the store keeps no blobs. Default: temporary files. @public */
export const SPOOL: Token<Spool> = token('spool');
/** @public */
export const TRANSPORT: Token<Transport> = token('transport');
/** Where the service listens, such as `inproc:service`. @public */
export const SERVICE_ADDRESS: Token<string> = token('service-address');
/** @public */
export const EXECUTION_POLICY: Token<ExecutionPolicy> = token('execution-policy');
/** @public */
export const ROUTINE_CATALOG: Token<RoutineCatalog> = token('routine-catalog');
/** @public */
export const ROUTINE_ENGINE: Token<RoutineEngine> = token('routine-engine');

/** What to add when a part is missing; shown by errors at init. */
export const TOKEN_HINTS: ReadonlyMap<symbol, string> = new Map<symbol, string>([
  [
    TRANSPORT,
    'add a transport, such as embeddedCluster() or inprocTransport() of @routine-engine/transport-inproc',
  ],
  [SERVICE_ADDRESS, 'give the transport plugin the address of the service'],
  [RESULT_STORE, 'add a store, such as fsStore({ dir }) of @routine-engine/store-fs'],
]);
