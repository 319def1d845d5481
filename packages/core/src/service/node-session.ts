import type { Logger } from '../ports/logger.js';
import { dropBody, type Body } from '../model/body.js';
import type { Connection } from '../ports/transport.js';
import type { Directive, NodeRole } from '../protocol/directives.js';
import { Session } from '../protocol/session.js';

/** A node that is connected to the service. */
export class NodeSession {
  readonly name: string;
  readonly role: NodeRole;
  readonly session: Session;
  readonly #logger: Logger;

  constructor(id: string, name: string, role: NodeRole, connection: Connection, logger: Logger) {
    this.name = name;
    this.role = role;
    this.session = new Session(id, connection);
    this.#logger = logger;
  }

  /** Whether the connection is open. Its end is told a little later, once all that came before was handled. */
  get isConnected(): boolean {
    let isOpen = false;
    this.session.connection.state$.subscribe((state) => (isOpen = state === 'open')).unsubscribe();
    return isOpen;
  }

  /**
   * Sends; a connection that is gone is told by its own end, so a failure here is only noted, and the body given up.
   */
  post(directive: Directive, body?: Body): void {
    try {
      this.session.send(directive, body);
    } catch (error) {
      dropBody(body);
      this.#logger.log('debug', `${directive.type} to ${this.name} was not sent`, { error });
    }
  }
}
