import { Observable, type Subscriber } from 'rxjs';
import type { Connection, Listener } from '@routine-engine/core/adapter';
import type { SimulatedConnection } from './simulated-connection.js';
import type { SimulatedProcess } from './simulated-process.js';

/** Hears of the connections that are dialled to one address. */
export class SimulatedListener implements Listener {
  readonly address: string;
  readonly process: SimulatedProcess;
  readonly #onClose: () => void;
  readonly #connections = new Set<SimulatedConnection>();
  #waiting: SimulatedConnection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #isClosed = false;

  constructor(address: string, process: SimulatedProcess, onClose: () => void) {
    this.address = address;
    this.process = process;
    this.#onClose = onClose;
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const connection of this.#waiting.splice(0)) subscriber.next(connection);
    if (this.#isClosed) subscriber.complete();
  });

  accept(connection: SimulatedConnection): void {
    this.#connections.add(connection);
    connection.state$.subscribe({ complete: () => this.#connections.delete(connection) });
    if (this.#subscriber) this.#subscriber.next(connection);
    else this.#waiting.push(connection);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#onClose();
    this.#waiting = [];
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    this.#subscriber?.complete();
  }
}
