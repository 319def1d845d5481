import type { Logger } from '../ports/logger.js';
import type { Body } from '../model/body.js';
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

  /** Sends; a connection that is gone is told by its own end, so a failure here is only noted. */
  post(directive: Directive, body?: Body): void {
    try {
      this.session.send(directive, body);
    } catch (error) {
      this.#logger.log('debug', `${directive.type} to ${this.name} was not sent`, { error });
    }
  }
}
