import { TieredStore } from '../cache/tiered-store.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { ADAPTER_API_VERSION, provide, type EnginePlugin, type Part } from '../ports/plugin.js';
import type { ResultStore } from '../ports/result-store.js';
import { CLOCK, NODE_IDENTITY, RESULT_STORE, type Token } from '../ports/tokens.js';
import { assertPlugin } from './compose.js';

/** How {@link tiered} stores work together. @public */
export interface TieredOptions {
  /**
   * When a result counts as kept. `through`: when the last store has it, so that nodes share it whatever else they have.
   * `back`: when the fastest durable store has it; the slower ones get it in the background, also while the lifecycle shuts
   * down, and what they refuse after some attempts is told as `store.failed` and stays where it is. Default `through`.
   */
  readonly write?: 'through' | 'back';
}

/**
 * Several stores as one, the fastest first: what is asked for is looked up in one after the other, and what a slower one has is
 * copied to the faster ones. Each plugin provides a store; what else it provides stays as it is.
 *
 * Nodes with different faster stores have the same results as long as the last one is the same.
 * @example
 * ```ts
 * await using lifecycle = await Lifecycle.init({
 *   project: 'news',
 *   plugins: [tiered([memoryStore(), fsStore({ dir: './results' })])],
 * });
 * ```
 * @throws {@link RoutineEngineError} `OPTION_INVALID`, `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`.
 * @public
 */
export function tiered(plugins: readonly EnginePlugin[], options: TieredOptions = {}): EnginePlugin {
  const { write = 'through' } = options;
  if (!Array.isArray(plugins) || plugins.length === 0)
    throw new RoutineEngineError('OPTION_INVALID', 'tiered needs a list of stores, the fastest first');
  if (write !== 'through' && write !== 'back') {
    const message = `write of tiered is 'through' or 'back', not ${JSON.stringify(write)}`;
    throw new RoutineEngineError('OPTION_INVALID', message);
  }
  const stores: Token<ResultStore>[] = [];
  const parts = plugins.flatMap((plugin, index) => {
    assertPlugin(plugin, index);
    const token: Token<ResultStore> = Symbol(`${plugin.name} as tier ${index + 1}`);
    stores.push(token);
    return withStoreAs(token, plugin);
  });
  return {
    name: `@routine-engine/core tiered(${plugins.map(({ name }) => name).join(', ')})`,
    api: ADAPTER_API_VERSION,
    needs: plugins.flatMap(({ needs = [] }) => needs),
    parts: [...parts, tieredPart(stores, write)],
  };
}

function tieredPart(stores: readonly Token<ResultStore>[], write: 'through' | 'back'): Part {
  return provide(
    RESULT_STORE,
    (parts) =>
      new TieredStore({
        tiers: stores.map((token) => parts.get(token)),
        write,
        clock: parts.get(CLOCK),
        node: parts.get(NODE_IDENTITY).name,
      }),
    { stop: (store) => store.close() },
  );
}

/** The parts of a plugin, its store under a name of its own. */
function withStoreAs(token: Token<ResultStore>, { name, parts }: EnginePlugin): readonly Part[] {
  if (!parts.some((part) => part.token === RESULT_STORE)) {
    throw new RoutineEngineError(
      'PLUGIN_INVALID',
      `${name} provides no store: tiered takes plugins such as memoryStore() or fsStore({ dir })`,
    );
  }
  return parts.map((part) => (part.token === RESULT_STORE ? { ...part, token } : part));
}
