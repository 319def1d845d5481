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
  readonly #noteFailure: (error: unknown) => void;

  constructor(id: string, name: string, role: NodeRole, connection: Connection, logger: Logger) {
    this.name = name;
    this.role = role;
    this.session = new Session(id, connection);
    this.#noteFailure = (error) => logger.log('debug', `A directive to ${name} was not sent`, { error });
  }

  /** Sends; a connection that is gone is told by its own end, so a failure here is only noted. */
  post(directive: Directive, body?: Body): void {
    this.session.send(directive, body).catch(this.#noteFailure);
  }
}
