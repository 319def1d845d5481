import {
  RoutineEngineError,
  type Connection,
  type Listener,
  type Transport,
  type TransportCapabilities,
} from '@routine-engine/core/adapter';
import type { Links } from './link-conditions.js';
import type { SimulatedConnection } from './simulated-connection.js';
import { SimulatedListener } from './simulated-listener.js';
import type { SimulatedProcess } from './simulated-process.js';
import { Wire } from './wire.js';

/** How long a dial waits for an answer, in milliseconds. */
const DIAL_MS = 10_000;
/** What a step of opening a connection weighs. */
const STEP_BYTES = 64;

/** What the transports of one network share. */
export interface SharedTransport {
  readonly links: Links;
  readonly listeners: Map<string, SimulatedListener>;
  readonly sharesMemory: boolean;
  connect(
    from: SimulatedProcess,
    to: SimulatedProcess,
    address: string,
  ): readonly [SimulatedConnection, SimulatedConnection];
}

/** What one process dials and listens with. */
export class SimulatedTransport implements Transport {
  readonly name = 'simulated';
  readonly schemes = ['simulated:'];
  readonly capabilities: TransportCapabilities;
  readonly #process: SimulatedProcess;
  readonly #shared: SharedTransport;

  constructor(process: SimulatedProcess, shared: SharedTransport) {
    this.#process = process;
    this.#shared = shared;
    const { sharesMemory } = shared;
    this.capabilities = { ordered: true, largestBodyBytes: Number.POSITIVE_INFINITY, sharesMemory };
  }

  dial(address: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Connection> {
    return new Promise((resolve, reject) => {
      signal?.throwIfAborted();
      let isOver = false;
      const settle = (act: () => void): void => {
        if (isOver) return;
        isOver = true;
        late.cancel();
        signal?.removeEventListener('abort', abort);
        act();
      };
      const abort = (): void => settle(() => reject(signal?.reason as Error));
      const refuse = (why: string): void => settle(() => reject(unreachable(address, why)));
      const late = this.#process.after(DIAL_MS, () => refuse('did not answer'));
      signal?.addEventListener('abort', abort, { once: true });
      this.#knock(checkedAddress(address), refuse, (connection) => {
        if (isOver) void connection.close();
        else settle(() => resolve(connection));
      });
    });
  }

  async listen(address: string): Promise<Listener> {
    const { listeners } = this.#shared;
    if (listeners.has(checkedAddress(address))) {
      throw new RoutineEngineError('TRANSPORT_ADDRESS_IN_USE', `Something listens at ${address} already`);
    }
    const listener = new SimulatedListener(address, this.#process, () => {
      if (listeners.get(address) === listener) listeners.delete(address);
    });
    listeners.set(address, listener);
    return listener;
  }

  /** There and back again: the far end is open as soon as it was reached, the near one when the answer came. */
  #knock(address: string, refuse: (why: string) => void, open: (connection: Connection) => void): void {
    const { links, listeners } = this.#shared;
    const target = listeners.get(address)?.process;
    if (!target) {
      // Who refuses is as far away as who would answer.
      this.#process.schedule(2 * links.conditions(this.#process, this.#process).delayMs, () =>
        refuse('has nobody who listens'),
      );
      return;
    }
    const there = new Wire(links, this.#process, target);
    const back = new Wire(links, target, this.#process);
    const arrive = (): void => {
      const listener = listeners.get(address);
      if (listener?.process !== target) {
        return back.carry({ bytes: STEP_BYTES, arrive: () => refuse('has nobody who listens') });
      }
      const [near, far] = this.#shared.connect(this.#process, target, address);
      back.carry({ bytes: STEP_BYTES, arrive: () => open(near) });
      listener.accept(far);
    };
    there.carry({ bytes: STEP_BYTES, arrive });
  }
}

function unreachable(address: string, why: string): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_UNREACHABLE', `${address} ${why}`);
}

/** @throws `TRANSPORT_UNREACHABLE` */
function checkedAddress(address: string): string {
  if (/^simulated:[\w.-]+$/.test(address)) return address;
  throw unreachable(address, 'is not a simulated address, such as simulated:service');
}
