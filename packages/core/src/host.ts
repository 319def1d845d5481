/**
 * For operators and for adapters that bring their own cluster: the service and the worker.
 * @packageDocumentation
 */
export {
  RESULT_CACHE,
  ResultCache,
  type Answer,
  type Compute,
  type RememberedCall,
  type ResultCacheParts,
} from './cache/result-cache.js';
export { CONTENTS, Contents, type ContentsParts } from './cache/contents.js';
export type { KeptResultsParts, ResultMaker } from './cache/kept-results.js';
export {
  collectGarbage,
  type GarbageOptions,
  type GarbageReport,
  type StoreAmount,
} from './cache/collect-garbage.js';
export { storeStats, type RoutineStats, type StoreStats } from './cache/store-stats.js';
export { verifyStore, type VerifyReport } from './cache/verify-store.js';
export { TieredStore } from './cache/tiered-store.js';
export type { TieredStoreSettings } from './cache/tiers.js';
export { SERVICE, WORKER } from './lifecycle/node-tokens.js';
export {
  makeService,
  service,
  type ServiceOptions,
  type ServiceSettings,
} from './lifecycle/service-plugin.js';
export {
  makeWorker,
  worker,
  type WorkerOptions,
  type WorkerPlace,
  type WorkerSettings,
} from './lifecycle/worker-plugin.js';
export { systemClock } from './lifecycle/platform/system-clock.js';
export { Service, type ServiceCounts, type ServiceParts } from './service/service.js';
export { redialDelayMs } from './dispatch/redial.js';
export type { Labels } from './model/labels.js';
export type { AnnouncedRunInfo } from './service/announced-runs.js';
export type { WorkerInfo } from './model/cluster-info.js';
export type { HeartbeatLimits } from './service/heartbeats.js';
export type { WorkerCounts } from './worker/held-runs.js';
export { WorkerNode, type WorkerNodeParts } from './worker/worker-node.js';
export type { ExecutorHost, WorkerExecutor } from './ports/worker-executor.js';
export { InlineExecutor, type InlineExecutorParts } from './engine/inline-executor.js';
export { ThreadExecutor, type ThreadExecutorParts } from './thread/thread-executor.js';
export type { ThreadOptions } from './thread/background-thread.js';
