import { fromPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { NodeRole } from '../model/node-role.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Logger } from '../ports/logger.js';
import type { Connection, DirectiveHeader, Envelope, Transport } from '../ports/transport.js';
import { CORE_VERSION } from '../protocol/core-version.js';
import { PROTOCOL_VERSIONS, type Directive, type Hello, type Welcome } from '../protocol/directives.js';
import { readGreeting } from '../protocol/read-directive.js';
import { Session } from '../protocol/session.js';
import { SilenceWatch } from './silence-watch.js';

export interface ServiceConnectionParts {
  readonly transport: Transport;
  readonly address: string;
  readonly role: NodeRole;
  readonly node: string;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly logger: Logger;
}

interface ConnectionHooks {
  /** The session to go on with. */
  readonly resume: string | undefined;
  /** Ends the dialling. */
  readonly signal: AbortSignal;
  /** It is open: before anything is received, and before anything is sent. */
  readonly onWelcome: (opened: ServiceConnection, welcome: Welcome) => void;
  readonly onDirective: (directive: Directive, body: Body | undefined) => void;
  /** It was open and is gone. Called once. */
  readonly onEnd: (error: Error) => void;
}

/** One connection to the service, from its greeting to its end. */
export class ServiceConnection {
  readonly #parts: ServiceConnectionParts;
  readonly #hooks: ConnectionHooks;
  readonly #connection: Connection;
  #session: Session | undefined;
  #watch: SilenceWatch | undefined;
  #hasEnded = false;

  private constructor(parts: ServiceConnectionParts, hooks: ConnectionHooks, connection: Connection) {
    this.#parts = parts;
    this.#hooks = hooks;
    this.#connection = connection;
  }

  /**
   * Dials and greets.
   * @throws {@link RoutineEngineError} `TRANSPORT_UNREACHABLE`, `TRANSPORT_CLOSED`, the reason of the signal, or why the
   *   service refused.
   */
  static async open(parts: ServiceConnectionParts, hooks: ConnectionHooks): Promise<void> {
    const { transport, address } = parts;
    const connection = await transport.dial(address, { signal: hooks.signal });
    await new ServiceConnection(parts, hooks, connection).#greet();
  }

  /** The session of this connection. @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`. */
  get session(): Session {
    if (this.#session && !this.#hasEnded) return this.#session;
    throw this.#closedError('is closed');
  }

  /** Closes it, when all that was sent has gone. What still comes is not listened to. */
  close(reason: string): Promise<void> {
    this.#end(this.#closedError('was closed'));
    return this.#connection.close(reason);
  }

  #greet(): Promise<void> {
    const { clock } = this.#parts;
    const { signal } = this.#hooks;
    return new Promise((resolve, reject) => {
      const fail = (error: unknown, why: string): void => {
        late.cancel();
        signal.removeEventListener('abort', onAbort);
        reject(error as Error);
        void this.#connection.close(why);
      };
      const onAbort = (): void => fail(signal.reason, 'the node closes');
      const late = clock.after(LIMITS.handshakeMs, () =>
        fail(this.#closedError(`did not answer within ${LIMITS.handshakeMs} ms`), 'handshake timed out'),
      );
      signal.addEventListener('abort', onAbort);
      this.#connection.inbound$.subscribe({
        next: (envelope) => {
          if (this.#session) return this.#receive(envelope);
          try {
            signal.throwIfAborted();
            const welcome = this.#readWelcome(envelope);
            late.cancel();
            signal.removeEventListener('abort', onAbort);
            this.#hooks.onWelcome(this, welcome);
            resolve();
          } catch (error) {
            fail(error, 'handshake failed');
          }
        },
        complete: () => {
          const error = this.#closedError('was closed by the peer');
          if (this.#session) this.#end(error);
          else fail(error, 'handshake failed');
        },
      });
      try {
        signal.throwIfAborted();
        this.#connection.send({ header: this.#hello() as unknown as DirectiveHeader });
      } catch (error) {
        fail(error, 'hello could not be sent');
      }
    });
  }

  #hello(): Hello {
    const { role, node, codec } = this.#parts;
    const { resume } = this.#hooks;
    return {
      ...{ type: 'hello', protocols: PROTOCOL_VERSIONS, role, name: node },
      ...{ codec: codec.name, serializers: codec.serializers, core: CORE_VERSION },
      ...(resume !== undefined && { resume }),
    };
  }

  #readWelcome({ header, body }: Envelope): Welcome {
    dropBody(body);
    const { clock, address } = this.#parts;
    const greeting = readGreeting(header);
    if (greeting.type === 'refused') throw fromPlainError(greeting.error, { where: address });
    if (greeting.type !== 'welcome')
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `${address} answered hello with hello`);
    this.#session = new Session(greeting.session, this.#connection);
    this.#watch = new SilenceWatch(clock, greeting, () => {
      const error = this.#closedError(`gave no sign of life for ${greeting.leaseMs} ms`);
      this.#end(error);
      void this.#connection.close('the service is silent');
    });
    return greeting;
  }

  #receive(envelope: Envelope): void {
    if (this.#hasEnded) return dropBody(envelope.body);
    this.#watch?.heard();
    const directive = this.#read(envelope);
    if (directive) this.#hooks.onDirective(directive, envelope.body);
  }

  #read(envelope: Envelope): Directive | undefined {
    try {
      return this.#session?.receive(envelope);
    } catch (error) {
      this.#parts.logger.log('warn', 'A directive of the service was refused; the connection closes', {
        error,
      });
      void this.#connection.close('malformed directive');
      return undefined;
    }
  }

  #end(error: Error): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#watch?.stop();
    this.#hooks.onEnd(error);
  }

  #closedError(what: string): RoutineEngineError {
    return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${this.#parts.address} ${what}`);
  }
}
