import { AsyncLocalStorage, createHook, type AsyncHook } from 'node:async_hooks';
import { comesTrue } from './turns.js';

/** What keeps memory or a process alive until somebody closes it, by the names that Node gives them. */
const WATCHED = new Set([
  ...['TCPWRAP', 'TCPSERVERWRAP', 'PIPEWRAP', 'PIPESERVERWRAP', 'UDPWRAP', 'PROCESSWRAP', 'SIGNALWRAP'],
  ...['MESSAGEPORT', 'WORKER', 'FSEVENTWRAP', 'STATWATCHER', 'TTYWRAP', 'Timeout'],
]);

/**
 * Counts handles and timers that are opened by what runs under it, and by nothing else in the process, until they are closed.
 * Timers that don't hold the process count, too: they hold memory.
 */
export class ResourceWatch {
  readonly #mine = new AsyncLocalStorage<ResourceWatch | undefined>();
  readonly #open = new Map<number, string>();
  readonly #hook: AsyncHook = createHook({
    init: (id, type) => {
      if (WATCHED.has(type) && this.#mine.getStore() === this) this.#open.set(id, type);
    },
    destroy: (id) => void this.#open.delete(id),
  });

  /** Watches what is opened by an action, as long as that goes on. */
  async during(action: () => Promise<void>): Promise<void> {
    this.#hook.enable();
    try {
      await this.#mine.run(this, action);
    } finally {
      this.#hook.disable();
    }
  }

  /** Names of what is open, once no more than so many are, or it seems to stay so. */
  async open(most = 0): Promise<string[]> {
    await this.#mine.exit(() => comesTrue(() => this.#open.size <= most));
    return [...this.#open.values()].toSorted();
  }
}
