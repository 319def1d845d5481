import { EventFeed, type Body, type Connection, type DirectiveHeader } from '@routine-engine/core/adapter';
import { Service } from '@routine-engine/core/host';
import { Observable, of, type Subscriber } from 'rxjs';
import { ManualClock } from './manual-clock.js';

type Heard = (header: DirectiveHeader) => void;

/** The end of a connection that this process plays: it says what it is told to, at once and without a transport. */
export class PlayedNode implements Connection {
  readonly peer = 'played';
  readonly full = false;
  readonly state$ = of('open' as const);
  readonly inbound$: Connection['inbound$'];
  readonly #onHeard: Heard;
  #subscriber: Subscriber<{ readonly header: DirectiveHeader; readonly body?: Body }> | undefined;
  #session: unknown;
  #sequence = 0;

  constructor(onHeard: Heard) {
    this.#onHeard = onHeard;
    this.inbound$ = new Observable((subscriber) => {
      this.#subscriber = subscriber;
    });
  }

  greet(role: 'client' | 'worker', name: string): void {
    const hello = { type: 'hello', protocols: [1], role, name, codec: 'played', serializers: [] };
    this.#subscriber?.next({ header: hello });
  }

  say(header: DirectiveHeader, body?: Body): void {
    this.#sequence += 1;
    const stamped = { ...header, session: this.#session, sequence: this.#sequence };
    this.#subscriber?.next(body ? { header: stamped, body } : { header: stamped });
  }

  send({ header }: { readonly header: DirectiveHeader }): boolean {
    if (header['type'] === 'welcome') this.#session = header['session'];
    else this.#onHeard(header);
    return true;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#subscriber?.complete();
    return Promise.resolve();
  }
}

/** A service without any transport, so that what is measured is its own. */
export class ServiceAlone {
  readonly clock = new ManualClock();
  readonly service: Service;
  #connect: ((connection: Connection) => void) | undefined;
  #made = 0;

  constructor() {
    const ids = { next: () => `id-${(this.#made += 1)}` };
    const logger = {
      log: (level: string, message: string) => {
        if (level !== 'debug') throw new Error(message);
      },
    };
    const feed = new EventFeed<never>();
    this.service = new Service({ name: 'service', clock: this.clock, ids, logger, feed: feed as never });
    const connections$ = new Observable<Connection>((subscriber) => {
      this.#connect = (connection) => subscriber.next(connection);
    });
    this.service.serve({ address: 'played:', connections$, close: () => Promise.resolve() });
  }

  /** A node that has greeted. @param onHeard - hears all but the welcome. */
  node(role: 'client' | 'worker', name: string, onHeard: Heard): PlayedNode {
    const node = new PlayedNode(onHeard);
    this.#connect?.(node);
    node.greet(role, name);
    return node;
  }
}

/** Heap in use and memory outside of it, after all garbage is gone. */
export function memoryInUse(): number {
  const { gc } = globalThis as { readonly gc?: () => void };
  if (!gc) throw new Error('Start Node with --expose-gc');
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
