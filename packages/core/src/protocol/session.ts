import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Connection, DirectiveHeader, Envelope } from '../ports/transport.js';
import type { Directive, SessionHeader } from './directives.js';
import { readDirective, readSequence } from './read-directive.js';

/** A directive that waits for the window of the peer. */
interface Waiting {
  readonly directive: Directive;
  readonly body: Body | undefined;
}

/**
 * One side of a session over one connection: numbers what goes out, keeps it back while the peer's window is full, and
 * takes what comes in once and in order.
 */
export class Session {
  readonly id: string;
  readonly connection: Connection;
  #waiting: Waiting[] = [];
  /** The window of the peer was full after the last send. */
  #full = false;
  #sent = 0;
  #received = 0;

  constructor(id: string, connection: Connection) {
    this.id = id;
    this.connection = connection;
  }

  /**
   * Sends a directive, or keeps it until the window of the peer has room. Only heartbeats overtake what waits: what is
   * said of one run stays in order.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`.
   */
  send(directive: Directive, body?: Body): void {
    const overtakes = directive.type.startsWith('v1.heartbeat.');
    if (this.#full && !overtakes) {
      this.#waiting.push({ directive, body });
      return;
    }
    if (!this.#sendNow(directive, body) && !this.#full) this.#sendWhenDrained();
  }

  /**
   * Reads a directive of this session.
   * @returns `undefined` for one that was handled already.
   * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, also for another session, a gap in the sequence, or a body
   *   that is not what the directive says.
   */
  receive({ header, body }: Envelope): Directive | undefined {
    const sequence = readSequence(header, this.id);
    if (sequence <= this.#received) return undefined;
    if (sequence !== this.#received + 1) {
      const due = this.#received + 1;
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `Directive ${sequence} came where ${due} was due`);
    }
    const directive = readDirective(header);
    if ('sizes' in directive) assertBody(directive.type, directive.sizes, body);
    this.#received = sequence;
    return directive;
  }

  #sendNow(directive: Directive, body: Body | undefined): boolean {
    const sequence = this.#sent + 1;
    const stamped: Directive & SessionHeader = { ...directive, session: this.id, sequence };
    const header = stamped as unknown as DirectiveHeader;
    const hasRoom = this.connection.send(body ? { header, body } : { header });
    // Only now: what the connection refused leaves no gap in the numbers.
    this.#sent = sequence;
    return hasRoom;
  }

  #sendWhenDrained(): void {
    this.#full = true;
    const sendWaiting = (): void => {
      this.#full = false;
      const waiting = this.#waiting;
      this.#waiting = [];
      for (const { directive, body } of waiting) this.send(directive, body);
    };
    const forgetWaiting = (): void => {
      this.#full = false;
      this.#waiting = [];
    };
    // It fails only when the connection is gone, which its own end tells; what waits goes with it.
    this.connection.drained().then(sendWaiting).catch(forgetWaiting);
  }
}

function assertBody(type: string, sizes: readonly number[], body: Body | undefined): void {
  const same = (others: readonly number[] | undefined): boolean =>
    others?.length === sizes.length && others.every((size, index) => size === sizes[index]);
  const parts = body?.parts?.map((part) => part.byteLength);
  if (same(body?.sizes) && (parts === undefined || same(parts))) return;
  throw new RoutineEngineError(
    'PROTOCOL_MALFORMED',
    `A directive ${type} came without the body that its sizes say`,
  );
}
