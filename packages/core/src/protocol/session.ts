import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Connection, DirectiveHeader } from '../ports/transport.js';
import type { Directive, SessionHeader } from './directives.js';
import { readDirective, readSequence } from './read-directive.js';

/** One side of a session over one connection: numbers what goes out, and takes what comes in once and in order. */
export class Session {
  readonly id: string;
  readonly connection: Connection;
  #sent = 0;
  #received = 0;

  constructor(id: string, connection: Connection) {
    this.id = id;
    this.connection = connection;
  }

  /** Sends a directive; see {@link Connection.send}. */
  send(directive: Directive, body?: Body): boolean {
    this.#sent += 1;
    const stamped: Directive & SessionHeader = { ...directive, session: this.id, sequence: this.#sent };
    const header = stamped as unknown as DirectiveHeader;
    return this.connection.send(body ? { header, body } : { header });
  }

  /**
   * Reads a directive of this session.
   * @returns `undefined` for one that was handled already.
   * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, also for another session or a gap in the sequence.
   */
  receive(header: DirectiveHeader): Directive | undefined {
    const sequence = readSequence(header, this.id);
    if (sequence <= this.#received) return undefined;
    if (sequence !== this.#received + 1) {
      const due = this.#received + 1;
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `Directive ${sequence} came where ${due} was due`);
    }
    const directive = readDirective(header);
    this.#received = sequence;
    return directive;
  }
}
