import { dropBody, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import type { Connection } from '../ports/transport.js';
import { Acknowledgements } from '../protocol/acknowledgements.js';
import type { NodeRole } from '../model/node-role.js';
import type { Directive, HeldRun, Hello, RunHeader } from '../protocol/directives.js';
import { Session, type OnRefused } from '../protocol/session.js';
import type { RunRequester } from './run-requester.js';

interface NodeParts {
  readonly number: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A node as the service knows it, over as many connections as it takes. */
export class NodeSession implements RunRequester {
  readonly name: string;
  readonly role: NodeRole;
  readonly hello: Hello;
  /** Grows from node to node, in the order of their coming. */
  readonly number: number;
  /** How many connections it had. */
  connections = 1;
  /** When it last gave a sign of life, by the monotonic clock. */
  lastPulseAt: number;
  /** Runs that it asked for and that are not answered. */
  openRuns = 0;
  /** What it said that it holds, until it registers as a worker. */
  holds: HeldRun[] = [];
  /** It has registered as a worker over this connection. */
  isReady = false;
  /** Its connection is gone, and it may come back. */
  isAway = false;
  /** It said that it leaves. */
  isLeaving = false;
  /** It will not come back: nobody waits for its runs. */
  isGone = false;
  #session: Session;
  readonly #logger: Logger;
  readonly #acknowledgements: Acknowledgements;

  constructor(id: string, hello: Hello, connection: Connection, { number, clock, logger }: NodeParts) {
    this.number = number;
    this.hello = hello;
    this.name = hello.name;
    this.role = hello.role;
    this.lastPulseAt = clock.monotonic();
    this.#logger = logger;
    this.#session = this.#newSession(id, connection);
    this.#acknowledgements = new Acknowledgements(clock, (directive) => this.post(directive));
  }

  /** The session over its latest connection. */
  get session(): Session {
    return this.#session;
  }

  get acknowledges(): boolean {
    return !this.isGone;
  }

  /** It came back over another connection. The one before is closed, if it is not. */
  resume(id: string, connection: Connection, now: number): void {
    const before = this.#session;
    this.#session = this.#newSession(id, connection);
    this.connections += 1;
    this.isAway = false;
    this.isReady = false;
    this.lastPulseAt = now;
    this.holds = [];
    void before.connection.close('the node came back over another connection');
  }

  #newSession(id: string, connection: Connection): Session {
    const onExceeded = (): void => {
      const why = `what ${this.name} does not read has come to ${LIMITS.unreadBytes} bytes`;
      this.#logger.log('warn', `${why}; its connection closes`);
      void connection.close('does not read what it is told');
    };
    return new Session(id, connection, {
      unread: { bytes: LIMITS.unreadBytes, onExceeded },
      onLateRefusal: (directive, error, onRefused) => this.#refused(directive, error, onRefused),
    });
  }

  /** Lets the node forget the outcome of a run that it executed. */
  acknowledge(run: RunHeader): void {
    this.#acknowledgements.add(run);
  }

  /** Whether the connection is open. Its end is told a little later, once all that came before was handled. */
  get isConnected(): boolean {
    if (this.isAway || this.isGone) return false;
    let isOpen = false;
    this.#session.connection.state$.subscribe((state) => (isOpen = state === 'open')).unsubscribe();
    return isOpen;
  }

  /**
   * Sends; a connection that is gone is told by its own end, so that is only noted. The body of what is not sent is given up.
   * @param onRefused - hears, now or later, when the connection goes on but can't send this, such as what is too long.
   */
  post(directive: Directive, body?: Body, onRefused?: OnRefused): void {
    try {
      this.#session.send(directive, body, onRefused);
    } catch (error) {
      dropBody(body);
      this.#refused(directive, error as Error, onRefused);
    }
  }

  #refused({ type }: Directive, error: Error, onRefused: OnRefused | undefined): void {
    this.#logger.log('debug', `${type} to ${this.name} was not sent`, { error });
    if (this.isConnected) onRefused?.(error);
  }
}
