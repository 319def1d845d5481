import { isClosed } from '../errors/is-closed.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { dropBody, type Body } from '../model/body.js';
import type { Connection, DirectiveHeader, Envelope } from '../ports/transport.js';
import type { Directive, SessionHeader } from './directives.js';
import { Fifo } from './fifo.js';
import { readDirective, readSequence } from './read-directive.js';

/** Hears why a directive that had to wait was not sent, though the connection goes on; its body is given up. */
export type OnRefused = (error: Error) => void;

/** A directive that waits for the window of the peer. */
interface Waiting {
  readonly directive: Directive;
  readonly body: Body | undefined;
  readonly onRefused: OnRefused | undefined;
  readonly bytes: number;
}

/** What sending adds to a directive. */
type Stamp = { -readonly [Field in keyof SessionHeader]: SessionHeader[Field] };

/** What a directive that waits counts beside its text and its body. */
const WAITING_BYTES = 256;

/** How much may wait for a peer that does not read. */
export interface UnreadLimit {
  readonly bytes: number;
  /** Hears, once, when more waits: what waits and what is yet to come is given up. */
  readonly onExceeded: () => void;
}

interface SessionOptions {
  /** Default: what is given to the session waits however much it is. */
  readonly unread?: UnreadLimit | undefined;
  /** Hears of a directive that had to wait and was not sent, and tells its `onRefused`. Default: that hears it directly. */
  readonly onLateRefusal?: (directive: Directive, error: Error, onRefused: OnRefused | undefined) => void;
}

/**
 * One side of a session over one connection: numbers what goes out, keeps it back while the peer's window is full, and
 * takes what comes in once and in order.
 */
export class Session {
  readonly id: string;
  readonly connection: Connection;
  readonly #unread: UnreadLimit | undefined;
  readonly #onLateRefusal: SessionOptions['onLateRefusal'];
  readonly #waiting = new Fifo<Waiting>();
  #waitingBytes = 0;
  /** More waited than may. */
  #isGivenUp = false;
  /** The window of the peer was full after the last send. */
  #full = false;
  #sent = 0;
  #received = 0;
  #hasGap = false;

  constructor(id: string, connection: Connection, { unread, onLateRefusal }: SessionOptions = {}) {
    this.id = id;
    this.connection = connection;
    this.#unread = unread;
    this.#onLateRefusal = onLateRefusal;
  }

  /** Whether a directive was missing where another one came. */
  get hasGap(): boolean {
    return this.#hasGap;
  }

  /**
   * Sends a directive, or keeps it until the window of the peer has room. Only heartbeats overtake what waits: what is
   * said of one run stays in order. The directive is given up: it is not to be changed any more. An error that makes a directive too long goes without what is in it.
   * @throws {@link RoutineEngineError} `TRANSPORT_CLOSED`; why the connection can't send this at all.
   */
  send(directive: Directive, body?: Body, onRefused?: OnRefused): void {
    const overtakes = directive.type.startsWith('v1.heartbeat.');
    if (this.#full && !overtakes) return this.#keep(directive, body, onRefused);
    if (!this.#sendNow(directive, body) && !this.#full) this.#sendWhenDrained();
  }

  /**
   * Reads a directive of this session. A body that nobody gets with it is given up.
   * @returns `undefined` for one that was handled already.
   * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`, also for another session, a gap in the sequence, or a body
   *   that is not what the directive says.
   */
  receive(envelope: Envelope): Directive | undefined {
    let hasBody = false;
    try {
      const directive = this.#read(envelope);
      hasBody = directive !== undefined && needsBody(directive);
      return directive;
    } finally {
      if (!hasBody) dropBody(envelope.body);
    }
  }

  #read({ header, body }: Envelope): Directive | undefined {
    const sequence = readSequence(header, this.id);
    if (sequence <= this.#received) return undefined;
    if (sequence !== this.#received + 1) {
      const due = this.#received + 1;
      this.#hasGap = true;
      throw new RoutineEngineError('PROTOCOL_MALFORMED', `Directive ${sequence} came where ${due} was due`);
    }
    const directive = readDirective(header);
    if (needsBody(directive)) assertBody(directive, body);
    else if (body && 'reference' in directive) refuse(directive.type, 'with a reference and a body');
    else if (body && 'resumed' in directive) refuse(directive.type, 'with a body, though it is resumed');
    this.#received = sequence;
    return directive;
  }

  #keep(directive: Directive, body: Body | undefined, onRefused: OnRefused | undefined): void {
    if (this.#isGivenUp) return dropBody(body);
    const bytes = this.#unread ? waitingBytes(directive, body) : 0;
    this.#waitingBytes += bytes;
    this.#waiting.push({ directive, body, onRefused, bytes });
    if (!this.#unread || this.#waitingBytes <= this.#unread.bytes) return;
    this.#isGivenUp = true;
    this.#forgetWaiting();
    this.#unread.onExceeded();
  }

  #forgetWaiting(): void {
    for (let next = this.#next(); next; next = this.#next()) dropBody(next.body);
  }

  #next(): Waiting | undefined {
    const next = this.#waiting.shift();
    this.#waitingBytes -= next?.bytes ?? 0;
    return next;
  }

  #sendNow(directive: Directive, body: Body | undefined): boolean {
    try {
      return this.#sendAs(directive, body);
    } catch (error) {
      const shorter = isClosed(error) ? undefined : shortened(directive);
      if (!shorter) throw error;
      return this.#sendAs(shorter, body);
    }
  }

  #sendAs(directive: Directive, body: Body | undefined): boolean {
    const sequence = this.#sent + 1;
    const header = stamped(directive, this.id, sequence);
    const hasRoom = this.connection.send(body ? { header, body } : { header });
    // Only now: what the connection refused leaves no gap in the numbers.
    this.#sent = sequence;
    return hasRoom;
  }

  #sendOrDrop({ directive, body, onRefused }: Waiting): void {
    try {
      this.send(directive, body);
    } catch (error) {
      dropBody(body);
      if (isClosed(error)) throw error;
      // Of no concern to the others that wait.
      if (this.#onLateRefusal) this.#onLateRefusal(directive, error as Error, onRefused);
      else onRefused?.(error as Error);
    }
  }

  #sendWhenDrained(): void {
    this.#full = true;
    const sendWaiting = (): void => {
      this.#full = false;
      while (!this.#full) {
        const next = this.#next();
        if (!next) return;
        this.#sendOrDrop(next);
      }
    };
    const forgetWaiting = (): void => {
      this.#full = false;
      this.#forgetWaiting();
    };
    // It fails only when the connection is gone, which its own end tells; what waits goes with it.
    this.connection.drained().then(sendWaiting).catch(forgetWaiting);
  }
}

type WithBody = Extract<Directive, { readonly type: 'v1.routine.request_start' | 'v1.routine.completed' }>;

function needsBody(directive: Directive): directive is WithBody {
  if (directive.type === 'v1.routine.completed') return directive.reference === undefined;
  return directive.type === 'v1.routine.request_start' && !directive.resumed;
}

function assertBody(directive: WithBody, body: Body | undefined): void {
  const { type, blobs } = directive;
  const parts = body?.sizes.length ?? 0;
  if (parts === 0) refuse(type, 'without its body');
  if (type === 'v1.routine.completed' && directive.streams !== undefined && directive.streams >= parts)
    refuse(type, `with ${directive.streams} streams in a body of ${parts} parts`);
  if (!blobs) return;
  for (const { part } of blobs) {
    if (body?.sizes[part] !== 0) refuse(type, `without an empty part ${part} in its body, as its blobs say`);
  }
}

function waitingBytes(directive: Directive, body: Body | undefined): number {
  return WAITING_BYTES + JSON.stringify(directive).length + (body?.parts ? body.byteLength : 0);
}

/**
 * The header of a directive. One that is sent for the first time becomes its own header, since a copy costs more than all else
 * that sending takes; one that is sent again may still be on its way to somebody.
 */
function stamped(directive: Directive, session: string, sequence: number): DirectiveHeader {
  const given = directive as Directive & Partial<Stamp>;
  const header = (given.session === undefined ? given : { ...given }) as Stamp;
  header.session = session;
  header.sequence = sequence;
  return header as unknown as DirectiveHeader;
}

/** The same with the texts of its error alone, which any connection can send; `undefined` when that is no less. */
function shortened(directive: Directive): Directive | undefined {
  if (!('error' in directive) || !directive.error) return undefined;
  const { name, message, code, stack, cause, errors, properties } = directive.error;
  if (!cause && !errors && !properties) return undefined;
  const error = { name, message, ...(code !== undefined && { code }), ...(stack !== undefined && { stack }) };
  return { ...directive, error };
}

function refuse(type: string, what: string): never {
  throw new RoutineEngineError('PROTOCOL_MALFORMED', `A directive ${type} came ${what}`);
}
