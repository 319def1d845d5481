import type { Clock } from '../ports/clock.js';
import type { Logger } from '../ports/logger.js';
import { dropBody, type Body } from '../model/body.js';
import type { Connection } from '../ports/transport.js';
import { Acknowledgements } from '../protocol/acknowledgements.js';
import type { NodeRole } from '../model/node-role.js';
import type { Directive, Hello, RunHeader } from '../protocol/directives.js';
import { Session, type OnRefused } from '../protocol/session.js';

interface NodeParts {
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A node that is connected to the service. */
export class NodeSession {
  readonly name: string;
  readonly role: NodeRole;
  readonly session: Session;
  /** It will not come back: nobody waits for its runs. */
  isGone = false;
  readonly #logger: Logger;
  readonly #acknowledgements: Acknowledgements;

  constructor(id: string, { name, role }: Hello, connection: Connection, { clock, logger }: NodeParts) {
    this.name = name;
    this.role = role;
    this.session = new Session(id, connection);
    this.#logger = logger;
    this.#acknowledgements = new Acknowledgements(clock, (directive) => this.post(directive));
  }

  /** Lets the node forget the outcome of a run that it executed. */
  acknowledge(run: RunHeader): void {
    this.#acknowledgements.add(run);
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
