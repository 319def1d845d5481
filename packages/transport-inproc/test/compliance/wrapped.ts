import type { Body, Connection, Envelope, Listener, Transport } from '@routine-engine/core/adapter';
import { InprocTransport } from '@routine-engine/transport-inproc';
import { map, type Observable } from 'rxjs';

/** A connection that does everything as another one does, until somebody breaks it. */
export class Wrapped implements Connection {
  readonly sound: Connection;

  constructor(sound: Connection) {
    this.sound = sound;
  }

  get peer(): string {
    return this.sound.peer;
  }

  get inbound$(): Observable<Envelope> {
    return this.sound.inbound$;
  }

  get state$(): Connection['state$'] {
    return this.sound.state$;
  }

  get full(): boolean {
    return this.sound.full;
  }

  send(envelope: Envelope): boolean {
    return this.sound.send(envelope);
  }

  drained(): Promise<void> {
    return this.sound.drained();
  }

  close(reason?: string): Promise<void> {
    return this.sound.close(reason);
  }
}

type Wrap = (connection: Connection) => Connection;
type DialOptions = { readonly signal?: AbortSignal };

/** A transport that does everything as the in-process one does, until somebody breaks it. */
export class WrappedTransport implements Transport {
  readonly sound = new InprocTransport();
  readonly name = this.sound.name;
  readonly schemes = this.sound.schemes;
  readonly capabilities = this.sound.capabilities;
  readonly #wrap: Wrap;

  constructor(wrap: Wrap = (connection) => connection) {
    this.#wrap = wrap;
  }

  async dial(address: string, options?: DialOptions): Promise<Connection> {
    return this.#wrap(await this.sound.dial(address, options));
  }

  async listen(address: string): Promise<Listener> {
    return this.wrapped(await this.sound.listen(address));
  }

  /** A listener whose connections are wrapped. */
  protected wrapped(listener: Listener): Listener {
    return {
      address: listener.address,
      connections$: listener.connections$.pipe(map((connection) => this.#wrap(connection))),
      close: () => listener.close(),
    };
  }
}

/** The same envelopes with other bodies. */
export function withBody(envelope: Envelope, change: (body: Body) => Body | undefined): Envelope {
  const body = envelope.body && change(envelope.body);
  return body ? { header: envelope.header, body } : { header: envelope.header };
}
