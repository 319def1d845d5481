import {
  ADAPTER_API_VERSION,
  type EnginePlugin,
  type PartGetter,
  provide,
  type Token,
} from '@routine-engine/core/adapter';

/** Shows the parts of a composition to a command, as they are built. */
export function lookingPlugin(look: (parts: PartGetter) => void): EnginePlugin {
  const token: Token<true> = Symbol('routine');
  const build = (parts: PartGetter): true => {
    look(parts);
    return true;
  };
  return { name: '@routine-engine/cli', api: `^${ADAPTER_API_VERSION}`, parts: [provide(token, build)] };
}
