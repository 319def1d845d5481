import { CONTENTS } from '../cache/contents.js';
import { RESULT_CACHE } from '../cache/result-cache.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { LIMITS } from '../model/limits.js';
import { assertName } from '../model/routine-id.js';
import { ADAPTER_API_VERSION, contribute, type EnginePlugin, type PartGetter } from '../ports/plugin.js';
import {
  CLOCK,
  CODEC,
  EVENT_FEED,
  IDS,
  LOGGER,
  NODE_IDENTITY,
  RANDOM,
  ROUTINE_CATALOG,
  SERVICE_ADDRESS,
  TRANSPORT,
} from '../ports/tokens.js';
import type { Transport } from '../ports/transport.js';
import type { ThreadOptions } from '../thread/background-thread.js';
import { ThreadExecutor } from '../thread/thread-executor.js';
import { WorkerNode, type WorkerNodeParts } from '../worker/worker-node.js';
import { WORKER } from './node-tokens.js';
import { OPEN_SERVICE } from './service-plugin.js';

/** What a worker is told beside the parts of its composition; how its background threads are started is part of it. @public */
export interface WorkerSettings
  extends ThreadOptions, Pick<WorkerNodeParts, 'slots' | 'inbox' | 'labels' | 'acceptsWork' | 'policy'> {
  /** Runs that may compute at once, each on a background thread of its own: 1 to 1,024. Default 1. */
  readonly slots?: number;
}

/** How {@link worker} is composed. @public */
export interface WorkerOptions extends WorkerSettings {
  /** Name of the worker, under which the service and events show it. Default: that of the lifecycle. */
  readonly name?: string;
  /**
   * How long runs in hand may go on when the lifecycle shuts down, in milliseconds; then they are given back to the service,
   * which places them elsewhere. Default {@link LIMITS}.drainMs; 0 gives them back at once.
   */
  readonly graceMs?: number;
}

/** Whom a worker dials, and as whom. @public */
export interface WorkerPlace {
  /** Name of the worker. */
  readonly name: string;
  readonly transport: Transport;
  /** Where the service listens. */
  readonly address: string;
}

const MOST_SLOTS = 1_024;
/** What timers can wait. */
const LONGEST_GRACE_MS = 2 ** 31 - 1;

/**
 * Makes this lifecycle a worker of the service that its transport reaches: it loads routine modules on background threads, and
 * takes the runs that the service gives it until the lifecycle shuts down. When its connection is lost it dials again for as
 * long as it takes. Results are kept in the store of the composition.
 *
 * Such a lifecycle is no client: what is called in it outside any run runs in the calling thread.
 * @example
 * ```ts
 * await using lifecycle = await Lifecycle.init({
 *   project: 'news',
 *   name: 'worker-1',
 *   plugins: [
 *     wsTransport({ url: 'ws://127.0.0.1:7700/' }),
 *     fsStore({ dir: 'results' }),
 *     worker({ modules: [new URL('./routines.js', import.meta.url)], slots: 2 }),
 *   ],
 * });
 * ```
 * @throws `OPTION_INVALID`; at init, `ROUTINE_MODULE_FAILED` when a module can't be loaded in a thread,
 *   `TRANSPORT_UNREACHABLE` or why the service refused, `PLUGIN_MISSING` without a transport.
 * @public
 */
export function worker(options: WorkerOptions): EnginePlugin {
  const { name, graceMs = LIMITS.drainMs, ...settings } = options;
  if (name !== undefined) assertName('worker: name', name);
  assertWithin('graceMs', graceMs, 0, LONGEST_GRACE_MS);
  assertSlots(settings);
  assertModules(settings);
  return {
    name: '@routine-engine/core worker()',
    api: ADAPTER_API_VERSION,
    needs: [TRANSPORT, SERVICE_ADDRESS],
    parts: [
      contribute(WORKER, (parts) => composedWorker(parts, name, settings), {
        start: (made) => made.start(),
        stop: (made) => made.stop({ graceMs }),
      }),
    ],
  };
}

/**
 * A worker of the parts of a composition, with an executor on background threads. Whoever makes it starts and stops it.
 * @throws {@link RoutineEngineError} `OPTION_INVALID`.
 * @public
 */
export function makeWorker(parts: PartGetter, place: WorkerPlace, settings: WorkerSettings): WorkerNode {
  assertSlots(settings);
  const { slots, inbox, labels, acceptsWork, policy, ...threads } = settings;
  const clock = parts.get(CLOCK);
  return new WorkerNode({
    identity: { name: place.name, project: parts.get(NODE_IDENTITY).project },
    transport: place.transport,
    address: place.address,
    clock,
    codec: parts.get(CODEC),
    ids: parts.get(IDS),
    random: parts.get(RANDOM),
    logger: parts.get(LOGGER),
    feed: parts.get(EVENT_FEED),
    catalog: parts.get(ROUTINE_CATALOG),
    contents: parts.get(CONTENTS),
    cache: parts.get(RESULT_CACHE),
    executor: new ThreadExecutor({ threads, clock }),
    ...(slots !== undefined && { slots }),
    ...(inbox !== undefined && { inbox }),
    ...(labels && { labels }),
    ...(acceptsWork !== undefined && { acceptsWork }),
    ...(policy && { policy }),
  });
}

function composedWorker(parts: PartGetter, name: string | undefined, settings: WorkerSettings): WorkerNode {
  // A service of the same composition listens before its workers dial, and closes after they have stopped.
  parts.find(OPEN_SERVICE);
  const place = {
    name: name ?? parts.get(NODE_IDENTITY).name,
    transport: parts.get(TRANSPORT),
    address: parts.get(SERVICE_ADDRESS),
  };
  return makeWorker(parts, place, settings);
}

function assertSlots({ slots = 1 }: WorkerSettings): void {
  assertWithin('slots', slots, 1, MOST_SLOTS);
}

function assertModules({ modules }: WorkerSettings): void {
  if (Array.isArray(modules) && modules.length > 0) return;
  const message = 'worker: modules must list at least one module that defines routines';
  throw new RoutineEngineError('OPTION_INVALID', message);
}

function assertWithin(option: string, value: unknown, least: number, most: number): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw new RoutineEngineError(
    'OPTION_INVALID',
    `worker: ${option} is ${String(value)}; it must be a whole number from ${least} to ${most}`,
  );
}
