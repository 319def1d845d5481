import { AsyncLocalStorage, createHook, type AsyncHook } from 'node:async_hooks';
import { comesTrue } from './turns.js';

/** What keeps memory or a process alive until somebody closes it, by the names that Node gives them. */
const WATCHED = new Set([
  ...['TCPWRAP', 'TCPSERVERWRAP', 'PIPEWRAP', 'PIPESERVERWRAP', 'UDPWRAP', 'PROCESSWRAP', 'SIGNALWRAP'],
  ...['MESSAGEPORT', 'WORKER', 'FSEVENTWRAP', 'STATWATCHER', 'TTYWRAP', 'Timeout'],
]);

/** Who opened something. One for all watches, and off without any: each costs every promise of the process something. */
const opener = new AsyncLocalStorage<ResourceWatch | undefined>();
const watches = new Set<ResourceWatch>();

/**
 * Counts handles and timers that are opened by what runs under it, and by nothing else in the process, until they are closed.
 * Timers that don't hold the process count, too: they hold memory.
 */
export class ResourceWatch {
  readonly #open = new Map<number, string>();
  readonly #hook: AsyncHook = createHook({
    init: (id, type) => {
      if (WATCHED.has(type) && opener.getStore() === this) this.#open.set(id, type);
    },
    destroy: (id) => void this.#open.delete(id),
  });

  /**
   * Watches what is opened by an action, as long as that goes on.
   * @param signal - ends the watch of an action that never ends.
   */
  async during(action: () => Promise<void>, signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#stop();
    signal.addEventListener('abort', stop, { once: true });
    watches.add(this);
    this.#hook.enable();
    try {
      await opener.run(this, action);
    } finally {
      signal.removeEventListener('abort', stop);
      stop();
    }
  }

  /** Names of what is open, once no more than so many are, or it seems to stay so. */
  async open(most = 0): Promise<string[]> {
    await opener.exit(() => comesTrue(() => this.#open.size <= most));
    return [...this.#open.values()].toSorted();
  }

  #stop(): void {
    this.#hook.disable();
    if (watches.delete(this) && watches.size === 0) opener.disable();
  }
}
