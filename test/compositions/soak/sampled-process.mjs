import { EventEmitter } from 'node:events';
import process from 'node:process';
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Node warns of leaks, such as of too many listeners. */
let warnings = 0;
process.on('warning', (warning) => {
  warnings += 1;
  console.error(warning);
});

/** Timers that were set; Node tells of those only that keep a process alive. @type {Set<NodeJS.Timeout>} */
const timers = new Set();
globalThis.setTimeout = remembers(globalThis.setTimeout);
globalThis.setInterval = remembers(globalThis.setInterval);

/** @template {Function} Set @param {Set} set @returns {Set} */
function remembers(set) {
  const remembering = (/** @type {unknown[]} */ ...args) => {
    const timer = set(...args);
    timers.add(timer);
    return timer;
  };
  return /** @type {Set} */ (/** @type {unknown} */ (Object.assign(remembering, set)));
}

/** Those that are neither over nor cleared. */
function runningTimers() {
  // Not documented, and there is no other way.
  for (const timer of timers) if (Reflect.get(timer, '_destroyed')) timers.delete(timer);
  return timers.size;
}

/**
 * Does what the parent asks, one thing after the other, and ends when the parent goes.
 * @param {{ shutdown(): Promise<void> }} lifecycle
 * @param {Record<string, () => unknown>} actions
 */
export function serveParent(lifecycle, actions) {
  const answer = async (/** @type {string} */ what) => process.send?.((await actions[what]?.()) ?? {});
  // What fails ends the process, and so is heard of.
  process.on('message', (/** @type {string} */ what) => void answer(what));
  process.once('disconnect', () => void lifecycle.shutdown().then(() => process.exit(0)));
  process.send?.('ready');
}

/**
 * What this process holds once nothing is left that nobody needs.
 * @param {Record<string, number>} tables entries of what the process keeps
 */
export async function sample(tables) {
  for (let time = 0; time < 3; time += 1) {
    await nextTurn();
    globalThis.gc?.();
  }
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  const resources = process.getActiveResourcesInfo();
  return {
    ...{ rss, heapUsed, external, arrayBuffers },
    handles: resources.filter((kind) => kind !== 'Timeout' && kind !== 'Immediate').length,
    timers: runningTimers(),
    listeners: listeners(),
    warnings,
    ...Object.fromEntries(Object.entries(tables).map(([name, entries]) => [`table ${name}`, entries])),
  };
}

/** Of the process, and of whatever it has open. */
function listeners() {
  // @ts-expect-error Not documented, and there is no other way to the sockets.
  const open = /** @type {unknown[]} */ (process._getActiveHandles());
  return [process, ...open]
    .filter((each) => each instanceof EventEmitter)
    .flatMap((each) => each.eventNames().map((name) => each.listenerCount(name)))
    .reduce((sum, count) => sum + count, 0);
}
