import type { Token } from '../ports/tokens.js';
import type { Service } from '../service/service.js';
import type { WorkerNode } from '../worker/worker-node.js';

// Types alone: whoever only asks whether there is such a node loads neither.

/** The service of a composition that has the plugin `service()`. @public */
export const SERVICE: Token<Service> = Symbol.for('@routine-engine/service') as Token<Service>;

/** The workers of a composition, one for each plugin `worker()`. @public */
export const WORKER: Token<WorkerNode> = Symbol.for('@routine-engine/worker') as Token<WorkerNode>;
