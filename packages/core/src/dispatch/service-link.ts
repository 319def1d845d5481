import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent, TransportEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { dropBody, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { NodeRole } from '../model/node-role.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Logger } from '../ports/logger.js';
import type { Connection, DirectiveHeader, Envelope, Transport } from '../ports/transport.js';
import { PROTOCOL_VERSIONS, type Directive, type Hello, type Welcome } from '../protocol/directives.js';
import { readGreeting } from '../protocol/read-directive.js';
import { Session, type OnRefused } from '../protocol/session.js';

export interface ServiceLinkParts {
  readonly transport: Transport;
  readonly address: string;
  readonly role: NodeRole;
  readonly node: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly feed: EventFeed<EngineEvent>;
}

type Handler<Type extends Directive['type']> = (
  directive: Extract<Directive, { readonly type: Type }>,
  body: Body | undefined,
) => void;

/** The connection of a node to the service, from handshake to close. */
export class ServiceLink {
  readonly #parts: ServiceLinkParts;
  readonly #handlers = new Map<string, (directive: Directive, body: Body | undefined) => void>();
  readonly #lossListeners: ((error: Error) => void)[] = [];
  #closing = false;
  #connection: Connection | undefined;
  #session: Session | undefined;
  #lost: Error | undefined;

  constructor(parts: ServiceLinkParts) {
    this.#parts = parts;
  }

  /** See {@link TransportCapabilities.sharesMemory}. */
  get sharesMemory(): boolean {
    return this.#parts.transport.capabilities.sharesMemory;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get logger(): Logger {
    return this.#parts.logger;
  }

  /** Hears directives of one type, and owns their bodies; one handler a type, set before `open`. */
  on<Type extends Directive['type']>(type: Type, handler: Handler<Type>): void {
    this.#handlers.set(type, handler as unknown as (directive: Directive, body: Body | undefined) => void);
  }

  /** Hears once when the connection is gone, also by `close`. */
  onLost(listener: (error: Error) => void): void {
    this.#lossListeners.push(listener);
  }

  /**
   * Dials and greets.
   * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`, `TRANSPORT_CLOSED`, or why the service refused.
   */
  async open(): Promise<void> {
    const { transport, address } = this.#parts;
    this.#tell({ type: 'transport.connecting' });
    const connection = await transport.dial(address);
    this.#connection = connection;
    const welcome = await this.#greet(connection);
    this.#tell({ type: 'transport.connected', peer: welcome.service });
  }

  /**
   * Sends a directive.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`; why the connection can't send it at all, unless that comes out
   *   later: then `onRefused` hears it.
   */
  send(directive: Directive, body?: Body, onRefused?: OnRefused): void {
    if (!this.#session || this.#lost) throw this.#lost ?? this.#closedError('is not open');
    this.#session.send(directive, body, onRefused);
  }

  /** Sends a directive whose loss is told by `onLost` anyway; its body is given up then. */
  post(directive: Directive, body?: Body): void {
    try {
      this.send(directive, body);
    } catch (error) {
      dropBody(body);
      this.#parts.logger.log('debug', `${directive.type} was not sent`, { error });
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    await this.#connection?.close('the node closes');
    this.#lose(this.#closedError('was closed'));
  }

  #greet(connection: Connection): Promise<Welcome> {
    const { clock, role, node, codec } = this.#parts;
    return new Promise((resolve, reject) => {
      const late = clock.after(LIMITS.handshakeMs, () => {
        reject(this.#closedError(`did not answer within ${LIMITS.handshakeMs} ms`));
        void connection.close('handshake timed out');
      });
      connection.inbound$.subscribe({
        next: (envelope) => {
          if (this.#session) return this.#receive(envelope);
          late.cancel();
          try {
            resolve(this.#readWelcome(envelope, connection));
          } catch (error) {
            reject(error as Error);
            void connection.close('handshake failed');
          }
        },
        complete: () => {
          late.cancel();
          const error = this.#closedError('was closed by the peer');
          reject(error);
          this.#lose(error);
        },
      });
      const { serializers, name } = codec;
      const hello: Hello = {
        type: 'hello',
        protocols: PROTOCOL_VERSIONS,
        role,
        name: node,
        codec: name,
        serializers,
      };
      try {
        if (this.#closing) throw this.#closedError('was closed');
        connection.send({ header: hello as unknown as DirectiveHeader });
      } catch (error) {
        late.cancel();
        reject(error as Error);
        void connection.close('hello could not be sent');
      }
    });
  }

  #readWelcome(envelope: Envelope, connection: Connection): Welcome {
    if (this.#closing) throw this.#closedError('was closed');
    const greeting = readGreeting(envelope.header);
    if (greeting.type === 'refused') throw fromPlainError(greeting.error, { where: this.#parts.address });
    if (greeting.type !== 'welcome')
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `${this.#parts.address} answered hello with hello`);
    this.#session = new Session(greeting.session, connection);
    return greeting;
  }

  #receive(envelope: Envelope): void {
    const directive = this.#read(envelope);
    if (!directive) return;
    const handle = this.#handlers.get(directive.type);
    if (!handle) return dropBody(envelope.body);
    try {
      handle(directive, envelope.body);
    } catch (error) {
      dropBody(envelope.body);
      // A fault of this node, not of its peer: the connection stays, and so do the other runs.
      this.#parts.logger.log('error', `${directive.type} could not be handled`, { error });
    }
  }

  #read(envelope: Envelope): Directive | undefined {
    try {
      return this.#session?.receive(envelope);
    } catch (error) {
      this.#parts.logger.log('warn', 'A directive of the service was refused; the connection closes', {
        error,
      });
      void this.#connection?.close('malformed directive');
      return undefined;
    }
  }

  #lose(error: Error): void {
    if (this.#lost) return;
    this.#lost = error;
    if (!this.#session) return;
    this.#tell(
      this.#closing ? { type: 'transport.closed' } : { type: 'transport.lost', error: toPlainError(error) },
    );
    for (const listener of this.#lossListeners) listener(error);
  }

  #closedError(what: string): RoutineEngineError {
    return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${this.#parts.address} ${what}`);
  }

  #tell(
    happening:
      | { readonly type: 'transport.connecting' }
      | { readonly type: 'transport.connected'; readonly peer: string }
      | { readonly type: 'transport.lost'; readonly error: ReturnType<typeof toPlainError> }
      | { readonly type: 'transport.closed' },
  ): void {
    const { feed, clock, node, address } = this.#parts;
    if (feed.observed) feed.emit({ at: clock.now(), node, address, ...happening } satisfies TransportEvent);
  }
}
