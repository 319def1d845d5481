import { Observable, type Subscriber } from 'rxjs';
import type { Connection, Listener } from '@routine-engine/core/adapter';

/** Hears of the connections that are dialled to one address. */
export class InprocListener implements Listener {
  readonly address: string;
  readonly #onClose: () => void;
  readonly #connections = new Set<Connection>();
  #waiting: Connection[] = [];
  #subscriber: Subscriber<Connection> | undefined;
  #closed = false;

  constructor(address: string, onClose: () => void) {
    this.address = address;
    this.#onClose = onClose;
  }

  readonly connections$: Observable<Connection> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const connection of this.#waiting.splice(0)) subscriber.next(connection);
    if (this.#closed) subscriber.complete();
  });

  accept(connection: Connection): void {
    this.#connections.add(connection);
    connection.state$.subscribe({ complete: () => this.#connections.delete(connection) });
    if (this.#subscriber) this.#subscriber.next(connection);
    else this.#waiting.push(connection);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onClose();
    this.#waiting = [];
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    this.#subscriber?.complete();
  }
}
