import 'reflect-metadata';
import { satisfies, validRange } from 'semver';
import { container, instanceCachingFactory } from 'tsyringe';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { ADAPTER_API_VERSION, type EnginePlugin, type Part, type PartGetter } from '../ports/plugin.js';
import { TOKEN_HINTS, type Token } from '../ports/tokens.js';

/** A part that was built, and whose it is. */
export interface BuiltPart {
  readonly plugin: string;
  readonly part: Part;
  readonly value: unknown;
}

/** The parts of one lifecycle. */
export interface Composition {
  readonly parts: PartGetter;
  /** Builds what is not yet built. @returns every part, in the order of building: needs before those who need them. */
  buildAll(): readonly BuiltPart[];
}

/**
 * Puts the parts of plugins together, in a child container of its own: several lifecycles in one process never meet.
 * @param defaults - parts that stand in for what no plugin provides.
 * @throws {@link RoutineEngineError} `PLUGIN_INVALID`, `PLUGIN_INCOMPATIBLE`, `PLUGIN_DUPLICATE` or `PLUGIN_MISSING`,
 *   naming the plugins and what to do.
 */
export function compose(plugins: readonly EnginePlugin[], defaults: EnginePlugin): Composition {
  for (const [index, plugin] of plugins.entries()) assertPlugin(plugin, index);
  const providers = providersOf(plugins);
  const added = defaults.parts.filter((part) => part.many || !providers.has(part.token));
  const all = [...plugins, { ...defaults, parts: added }];
  assertNeeds(plugins, new Set(all.flatMap((plugin) => plugin.parts.map((part) => part.token))));
  return new Container(all);
}

/** @throws {@link RoutineEngineError} `PLUGIN_INVALID` or `PLUGIN_INCOMPATIBLE`. */
export function assertPlugin(plugin: EnginePlugin, index: number): void {
  const { name, api, parts }: { name?: unknown; api?: unknown; parts?: unknown } = plugin ?? {};
  if (
    typeof name !== 'string' ||
    typeof api !== 'string' ||
    validRange(api) === null ||
    !Array.isArray(parts)
  ) {
    throw new RoutineEngineError(
      'PLUGIN_INVALID',
      `plugins[${index}] is not a plugin: it must have a name, an api range and parts. Was its factory called, as in memoryStore()?`,
    );
  }
  if (!satisfies(ADAPTER_API_VERSION, api)) {
    throw new RoutineEngineError(
      'PLUGIN_INCOMPATIBLE',
      `${name} was made for the adapter API ${api}, and this core has ${ADAPTER_API_VERSION}: install versions that fit`,
    );
  }
}

function providersOf(plugins: readonly EnginePlugin[]): Map<symbol, string> {
  const providers = new Map<symbol, string>();
  for (const { name, parts } of plugins) {
    for (const { token, many } of parts) {
      if (many) continue;
      const other = providers.get(token);
      if (other !== undefined) {
        throw new RoutineEngineError(
          'PLUGIN_DUPLICATE',
          `${other} and ${name} both provide the ${nameOf(token)}: leave one of them out`,
        );
      }
      providers.set(token, name);
    }
  }
  return providers;
}

function assertNeeds(plugins: readonly EnginePlugin[], provided: ReadonlySet<symbol>): void {
  for (const { name, needs = [] } of plugins) {
    for (const token of needs) if (!provided.has(token)) throw missing(token, name);
  }
}

function missing(token: symbol, neededBy: string): RoutineEngineError {
  const hint = TOKEN_HINTS.get(token);
  const advice = hint === undefined ? 'add a plugin that provides it' : hint;
  return new RoutineEngineError(
    'PLUGIN_MISSING',
    `${neededBy} needs a ${nameOf(token)}, and no plugin provides one: ${advice}`,
  );
}

/** `Symbol(@routine-engine/result-store)` -> `result store`. */
function nameOf(token: symbol): string {
  return (token.description ?? 'part').replace(/^@routine-engine\//, '').replaceAll('-', ' ');
}

/** Builds each part once, when it is first needed. */
class Container implements Composition {
  readonly #scope = container.createChildContainer();
  readonly #tokens: Token<unknown>[] = [];
  readonly #built: BuiltPart[] = [];
  /** Plugins whose parts are being built, outermost first. */
  readonly #building: string[] = [];
  readonly #tokensInWork = new Set<symbol>();

  constructor(plugins: readonly EnginePlugin[]) {
    for (const plugin of plugins) {
      for (const part of plugin.parts) {
        const useFactory = instanceCachingFactory(() => this.#build(plugin.name, part));
        this.#scope.register(part.token, { useFactory });
        this.#tokens.push(part.token);
      }
    }
  }

  readonly parts: PartGetter = {
    get: <T>(token: Token<T>) => {
      if (!this.#scope.isRegistered(token)) throw missing(token, this.#building.at(-1) ?? 'The lifecycle');
      return this.#scope.resolve<T>(token);
    },
    all: <T>(token: Token<T>) => (this.#scope.isRegistered(token) ? this.#scope.resolveAll<T>(token) : []),
    find: <T>(token: Token<T>) =>
      this.#scope.isRegistered(token) ? this.#scope.resolve<T>(token) : undefined,
  };

  buildAll(): readonly BuiltPart[] {
    for (const token of this.#tokens) this.parts.all(token);
    return this.#built;
  }

  #build(plugin: string, part: Part): unknown {
    if (this.#tokensInWork.has(part.token) && !part.many) {
      throw new RoutineEngineError(
        'PLUGIN_START_FAILED',
        `Parts need each other in a circle: ${[...this.#building, plugin].join(' -> ')}, at the ${nameOf(part.token)}`,
      );
    }
    this.#building.push(plugin);
    this.#tokensInWork.add(part.token);
    try {
      const value = part.build(this.parts);
      this.#built.push({ plugin, part, value });
      return value;
    } catch (error) {
      if (error instanceof RoutineEngineError) throw error;
      const message = `The ${nameOf(part.token)} of ${plugin} could not be built: ${String(error)}`;
      throw new RoutineEngineError('PLUGIN_START_FAILED', message, { cause: error });
    } finally {
      this.#building.pop();
      this.#tokensInWork.delete(part.token);
    }
  }
}
