import { CONTENTS, Contents } from '../cache/contents.js';
import { MemoryStore } from '../cache/memory-store.js';
import { RESULT_CACHE, ResultCache } from '../cache/result-cache.js';
import { MsgpackrCodec } from '../codec/msgpackr-codec.js';
import { registry } from '../define/registry.js';
import { definedSerializers } from '../define/serializers.js';
import { ServiceLink } from '../dispatch/service-link.js';
import type { EngineParts } from '../engine/engine-parts.js';
import { LocalRunEngine } from '../engine/local-run-engine.js';
import { RemoteDispatchEngine } from '../engine/remote-dispatch-engine.js';
import type { EngineEvent } from '../events/engine-event.js';
import { EventFeed } from '../events/event-feed.js';
import { everythingHere, subRoutinesRemote } from '../policy/execution-policies.js';
import {
  ADAPTER_API_VERSION,
  provide,
  type EnginePlugin,
  type Part,
  type PartGetter,
} from '../ports/plugin.js';
import type { ResultStore } from '../ports/result-store.js';
import type { RoutineEngine } from '../ports/routine-engine.js';
import {
  CLOCK,
  CODEC,
  EVENT_FEED,
  EXECUTION_POLICY,
  IDS,
  LOGGER,
  NODE_IDENTITY,
  RANDOM,
  RESULT_STORE,
  ROUTINE_CATALOG,
  ROUTINE_ENGINE,
  SERIALIZER,
  SERVICE_ADDRESS,
  SPOOL,
  TRANSPORT,
  type NodeIdentity,
  type Token,
} from '../ports/tokens.js';
import { SERVICE, WORKER } from './node-tokens.js';
import { consoleLogger } from './platform/console-logger.js';
import { systemClock } from './platform/system-clock.js';
import { systemRandom } from './platform/system-random.js';
import { TempSpool } from './platform/temp-spool.js';
import { uuidIds } from './platform/uuid-ids.js';

/** Built only with a transport, and only for a client: what is a service or worker itself requests nothing of its service. */
const SERVICE_LINK: Token<ServiceLink | undefined> = Symbol.for('@routine-engine/service-link') as Token<
  ServiceLink | undefined
>;

/** What a lifecycle has when no plugin provides it: a local engine with an in-memory store. */
export function defaultParts(identity: NodeIdentity): EnginePlugin {
  return {
    name: '@routine-engine/core',
    api: ADAPTER_API_VERSION,
    parts: [
      provide(NODE_IDENTITY, () => identity),
      provide(EVENT_FEED, () => new EventFeed<EngineEvent>(), { stop: (feed) => feed.complete() }),
      provide(CLOCK, () => systemClock),
      provide(RANDOM, () => systemRandom),
      provide(IDS, () => uuidIds),
      provide(LOGGER, () => consoleLogger()),
      provide(ROUTINE_CATALOG, () => registry),
      provide(
        CODEC,
        (parts) => new MsgpackrCodec({ serializers: [...parts.all(SERIALIZER), ...definedSerializers()] }),
      ),
      memoryStorePart({}),
      provide(SPOOL, () => new TempSpool({}), { stop: (spool) => spool.close() }),
      provide(CONTENTS, contentsOf),
      provide(RESULT_CACHE, cacheOf),
      provide(EXECUTION_POLICY, (parts) => (parts.find(TRANSPORT) ? subRoutinesRemote : everythingHere)),
      provide(SERVICE_LINK, linkOf, { start: (link) => link?.open(), stop: (link) => link?.close() }),
      provide(ROUTINE_ENGINE, engineOf, { stop: (engine) => engine.shutdown() }),
    ],
  };
}

/** The part of an in-memory store. */
export function memoryStorePart(options: { readonly maxBytes?: number }): Part {
  const build = (parts: PartGetter): ResultStore =>
    new MemoryStore({
      ...options,
      id: parts.get(IDS).next(),
      clock: parts.get(CLOCK),
      node: parts.get(NODE_IDENTITY).name,
    });
  return provide(RESULT_STORE, build, { stop: (store) => store.close() });
}

function cacheOf(parts: PartGetter): ResultCache {
  const store = parts.get(RESULT_STORE);
  const feed = parts.get(EVENT_FEED);
  // Ends when the store closes.
  store.events$.subscribe((event) => feed.emit(event));
  const node = parts.get(NODE_IDENTITY).name;
  const contents = parts.get(CONTENTS);
  return new ResultCache({
    store,
    contents,
    feed,
    node,
    codec: parts.get(CODEC),
    clock: parts.get(CLOCK),
  });
}

function contentsOf(parts: PartGetter): Contents {
  return new Contents({
    store: parts.get(RESULT_STORE),
    spool: parts.get(SPOOL),
    clock: parts.get(CLOCK),
    feed: parts.get(EVENT_FEED),
    node: parts.get(NODE_IDENTITY).name,
  });
}

function linkOf(parts: PartGetter): ServiceLink | undefined {
  const transport = parts.find(TRANSPORT);
  if (!transport || parts.find(SERVICE) || parts.all(WORKER).length > 0) return undefined;
  return new ServiceLink({
    transport,
    address: parts.get(SERVICE_ADDRESS),
    role: 'client',
    node: parts.get(NODE_IDENTITY).name,
    codec: parts.get(CODEC),
    clock: parts.get(CLOCK),
    random: parts.get(RANDOM),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
  });
}

function engineOf(parts: PartGetter): RoutineEngine {
  const engineParts: EngineParts = {
    identity: parts.get(NODE_IDENTITY),
    codec: parts.get(CODEC),
    clock: parts.get(CLOCK),
    ids: parts.get(IDS),
    random: parts.get(RANDOM),
    logger: parts.get(LOGGER),
    catalog: parts.get(ROUTINE_CATALOG),
    feed: parts.get(EVENT_FEED),
    contents: parts.get(CONTENTS),
    cache: parts.get(RESULT_CACHE),
  };
  const link = parts.get(SERVICE_LINK);
  if (!link) return new LocalRunEngine(engineParts);
  return new RemoteDispatchEngine({ ...engineParts, link, policy: parts.get(EXECUTION_POLICY) });
}
