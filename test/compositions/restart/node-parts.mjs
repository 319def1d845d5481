// What the processes of this test have in common.
import { ADAPTER_API_VERSION, provide } from '@routine-engine/core/adapter';

/** A plugin with one part that is started and stopped with its lifecycle. */
export function pluginOf(name, build, hooks) {
  const token = Symbol(name);
  return { name, api: `^${ADAPTER_API_VERSION}`, parts: [provide(token, build, hooks)] };
}

/** Says something to the parent, and ends when the parent goes. */
export function serveParent(lifecycle, message) {
  process.once('disconnect', () => void lifecycle.shutdown().then(() => process.exit(0)));
  process.send(message);
}
