import { Subject, type Observable } from 'rxjs';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Connection, Listener, Transport, TransportCapabilities } from '../../src/ports/transport.js';
import { multiplex } from '../../src/protocol/multiplexer.js';
import { MemoryPipe, type Turns } from '../protocol/memory-pipe.js';

/** Connections over pipes in memory, as over a network: nothing goes over by reference. */
export class PipedTransport implements Transport {
  readonly name = 'piped';
  readonly schemes = ['piped:'];
  readonly capabilities: TransportCapabilities = {
    ordered: true,
    largestBodyBytes: Number.POSITIVE_INFINITY,
    sharesMemory: false,
  };
  /** The dialling end of each pipe, in the order of dialling. */
  readonly pipes: MemoryPipe[] = [];
  readonly #turns: Turns;
  #listener: PipedListener | undefined;

  constructor(turns: Turns) {
    this.#turns = turns;
  }

  async dial(address: string): Promise<Connection> {
    if (!this.#listener) throw new RoutineEngineError('TRANSPORT_UNREACHABLE', `Nothing is at ${address}`);
    const { here, there } = MemoryPipe.pair(this.#turns);
    this.pipes.push(here);
    this.#listener.accept(multiplex(there, { clock: this.#turns }));
    return multiplex(here, { clock: this.#turns });
  }

  async listen(address: string): Promise<Listener> {
    const listener = new PipedListener(address, () => {
      if (this.#listener === listener) this.#listener = undefined;
    });
    this.#listener = listener;
    return listener;
  }

  /** Cuts every connection: what is on its way is lost. */
  cutAll(): void {
    for (const pipe of this.pipes) pipe.break(new Error('the cable is cut'));
  }
}

class PipedListener implements Listener {
  readonly address: string;
  readonly #connections = new Subject<Connection>();
  readonly #accepted: Connection[] = [];
  readonly #onClose: () => void;

  constructor(address: string, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  get connections$(): Observable<Connection> {
    return this.#connections;
  }

  accept(connection: Connection): void {
    this.#accepted.push(connection);
    this.#connections.next(connection);
  }

  async close(): Promise<void> {
    this.#onClose();
    await Promise.all(this.#accepted.map((connection) => connection.close()));
    this.#connections.complete();
  }
}
