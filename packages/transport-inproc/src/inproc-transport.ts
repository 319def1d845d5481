import {
  LIMITS,
  RoutineEngineError,
  type Connection,
  type Listener,
  type Transport,
  type TransportCapabilities,
} from '@routine-engine/core/adapter';
import { InprocConnection } from './inproc-connection.js';
import { InprocListener } from './inproc-listener.js';

/** How in-process connections behave. @public */
export interface InprocOptions {
  /**
   * Bytes that one end holds, sent and not yet handled, before its peer's `send` waits.
   * Default: `LIMITS.connectionWindowBytes`, 16 MiB.
   */
  readonly windowBytes?: number;
}

/**
 * Carries directives between nodes of one process. Nodes meet only through the same instance: its addresses are its
 * own, so that two clusters, or two tests, never meet.
 * @public
 */
export class InprocTransport implements Transport {
  readonly name = 'inproc';
  readonly schemes = ['inproc:'];
  readonly capabilities: TransportCapabilities = {
    ordered: true,
    largestBodyBytes: Number.POSITIVE_INFINITY,
    sharesMemory: true,
  };
  readonly #windowBytes: number;
  readonly #listeners = new Map<string, InprocListener>();

  constructor(options: InprocOptions = {}) {
    this.#windowBytes = options.windowBytes ?? LIMITS.connectionWindowBytes;
  }

  async dial(address: string, options: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    options.signal?.throwIfAborted();
    const listener = this.#listeners.get(checked(address));
    if (!listener) {
      const there = [...this.#listeners.keys()].join(', ') || 'nothing';
      throw new RoutineEngineError(
        'TRANSPORT_UNREACHABLE',
        `Nothing listens at ${address}; there is ${there}`,
      );
    }
    const here = new InprocConnection(address, this.#windowBytes);
    const there = new InprocConnection(`${address}#dialler`, this.#windowBytes);
    InprocConnection.connect(here, there);
    listener.accept(there);
    return here;
  }

  async listen(address: string): Promise<Listener> {
    if (this.#listeners.has(checked(address))) {
      throw new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', `Something listens at ${address} already`);
    }
    const listener = new InprocListener(address, () => this.#listeners.delete(address));
    this.#listeners.set(address, listener);
    return listener;
  }
}

function checked(address: string): string {
  if (!/^inproc:[\w.-]+$/.test(address)) {
    throw new RoutineEngineError(
      'TRANSPORT_UNREACHABLE',
      `${address} is not an in-process address, such as inproc:service`,
    );
  }
  return address;
}
