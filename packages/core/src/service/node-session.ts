import type { Logger } from '../ports/logger.js';
import { dropBody, type Body } from '../model/body.js';
import type { Connection } from '../ports/transport.js';
import type { Directive, NodeRole } from '../protocol/directives.js';
import { Session, type OnRefused } from '../protocol/session.js';

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
   * Sends; a connection that is gone is told by its own end, so that is only noted. The body of what is not sent is given up.
   * @param onRefused - hears, now or later, when the connection goes on but can't send this, such as what is too long.
   */
  post(directive: Directive, body?: Body, onRefused?: OnRefused): void {
    const refused = (error: Error): void => {
      this.#logger.log('debug', `${directive.type} to ${this.name} was not sent`, { error });
      if (this.isConnected) onRefused?.(error);
    };
    try {
      this.session.send(directive, body, refused);
    } catch (error) {
      dropBody(body);
      refused(error as Error);
    }
  }
}
