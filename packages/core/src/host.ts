/**
 * For operators and for adapters that bring their own cluster: the service and the worker.
 * @packageDocumentation
 */
export {
  RESULT_CACHE,
  ResultCache,
  type Answer,
  type RememberedCall,
  type ResultCacheParts,
} from './cache/result-cache.js';
export { CONTENTS, Contents, type ContentsParts } from './cache/contents.js';
export { Service, type ServiceParts } from './service/service.js';
export type { HeartbeatLimits } from './service/heartbeats.js';
export { WorkerNode, type WorkerNodeParts } from './worker/worker-node.js';
export type { ThreadOptions } from './thread/background-thread.js';
