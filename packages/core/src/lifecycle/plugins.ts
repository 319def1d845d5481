import type { ExecutionPolicy } from '../ports/execution-policy.js';
import { ADAPTER_API_VERSION, contribute, provide, type EnginePlugin } from '../ports/plugin.js';
import type { Serializer } from '../ports/serializer.js';
import { EXECUTION_POLICY, SERIALIZER } from '../ports/tokens.js';
import { memoryStorePart } from './defaults.js';

/** Keeps results in memory, the least recently used out first. This is what a lifecycle has without a store plugin. @public */
export function memoryStore(
  options: { /** Default 256 MiB. */ readonly maxBytes?: number } = {},
): EnginePlugin {
  return plugin('memoryStore', [memoryStorePart(options)]);
}

/**
 * Serializers of classes, for this node's own codec. Background threads know those that their modules define with
 * `define.serializer`.
 * @public
 */
export function serializers(...list: readonly Serializer[]): EnginePlugin {
  return plugin(
    'serializers',
    list.map((each) => contribute(SERIALIZER, () => each)),
  );
}

/** Says which calls run here and which are sent to the service. @public */
export function executionPolicy(policy: ExecutionPolicy): EnginePlugin {
  return plugin('executionPolicy', [provide(EXECUTION_POLICY, () => policy)]);
}

function plugin(name: string, parts: EnginePlugin['parts']): EnginePlugin {
  return { name: `@routine-engine/core ${name}()`, api: ADAPTER_API_VERSION, parts };
}
