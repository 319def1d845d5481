import type { Token } from './tokens.js';

/** Gives parts to a factory: its own needs, built before it. @public */
export interface PartGetter {
  /** The one part of that token. @throws {@link RoutineEngineError} `PLUGIN_MISSING`. */
  get<T>(token: Token<T>): T;
  /** Everything contributed to a token, in the order of the plugins; empty when nothing was. */
  all<T>(token: Token<T>): readonly T[];
  /** As `get`, or `undefined` when no plugin provides it. */
  find<T>(token: Token<T>): T | undefined;
}

/** What is done with a part when the lifecycle starts and stops. @public */
export interface PartHooks<T> {
  /** After every part it got has started. When it rejects, what had started is stopped and init rejects. */
  readonly start?: (part: T) => Promise<void> | void;
  /** Before any part it got is stopped. Every part is stopped, whatever another's stop did. */
  readonly stop?: (part: T) => Promise<void> | void;
}

/** One part of a plugin; made with {@link provide} or {@link contribute}. @public */
export interface Part<T = unknown> {
  readonly token: Token<T>;
  /** Whether several plugins may give one, as with serializers. */
  readonly many: boolean;
  readonly build: (parts: PartGetter) => T;
  readonly hooks: PartHooks<T>;
}

/** A named set of parts, given to `Lifecycle.init`. @public */
export interface EnginePlugin {
  /** Package name, such as `@routine-engine/store-fs`; errors at init name it. */
  readonly name: string;
  /** Range of {@link ADAPTER_API_VERSION} that it fits, such as `^0.1.0`. */
  readonly api: string;
  readonly parts: readonly Part[];
  /** Parts of other plugins that it cannot do without. */
  readonly needs?: readonly Token<unknown>[];
}

/** Version of the contracts in `@routine-engine/core/adapter`: a plugin states the range it was made for. @public */
export const ADAPTER_API_VERSION = '0.1.0';

/** The one part for a token: a second provider is an error at init. Built once, when first needed. @public */
export function provide<T>(token: Token<T>, build: (parts: PartGetter) => T, hooks: PartHooks<T> = {}): Part {
  return { token, many: false, build, hooks } as Part;
}

/** One of any number of parts for a token, such as a serializer. @public */
export function contribute<T>(
  token: Token<T>,
  build: (parts: PartGetter) => T,
  hooks: PartHooks<T> = {},
): Part {
  return { token, many: true, build, hooks } as Part;
}
