import { newErrorOfClass } from '../errors/error-class.js';
import { ERRORS } from '../errors/codes.js';
import type { Body } from '../model/body.js';
import { violation, type StartFrame } from './frames.js';
import { IncomingBody, type BodyReading } from './incoming-body.js';
import { EarlyCredit, StreamCredit, type ReceiveCredit } from './receive-credit.js';

/** What the receiver of bodies says to their sender. */
export interface BodyReplies {
  /** @param stream - 0 for the connection. */
  sendCredit(stream: number, bytes: number): void;
  sendStop(stream: number): void;
}

/** What an {@link IncomingBodies} is made of. */
export interface IncomingBodiesParts {
  readonly replies: BodyReplies;
  /** Takes memory of messages of their own, which nobody reads any more. */
  readonly recycle: (message: Uint8Array) => void;
  /** What the peer was told it may send unasked. */
  readonly start: StartFrame;
  readonly receive: ReceiveCredit;
  /** Most bodies under way at once. */
  readonly mostOpen: number;
}

/** The bodies a peer is sending: checks every frame against what was allowed, and asks for more as they are read. */
export class IncomingBodies {
  readonly #parts: IncomingBodiesParts;
  readonly #early: EarlyCredit;
  readonly #streams = new Map<number, IncomingStream>();
  #last = 0;
  /** Why nothing more is wanted, once that is so. */
  #closed: Error | undefined;

  constructor(parts: IncomingBodiesParts) {
    this.#parts = parts;
    this.#early = new EarlyCredit(parts.start.connectionWindowBytes);
  }

  /** A new body was announced. @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`. */
  open(id: number, sizes: readonly number[]): Body {
    if (id !== this.#last + 1) throw violation(`stream ${id} begins where ${this.#last + 1} was due`);
    const { mostOpen } = this.#parts;
    if (this.#streams.size >= mostOpen)
      throw violation(`stream ${id} begins while ${mostOpen} bodies are under way`);
    this.#last = id;
    const stream = new IncomingStream(id, sizes, this.#parts, this.#early);
    this.#streams.set(id, stream);
    if (this.#closed) stream.cancel(this.#closed);
    return stream.body;
  }

  /**
   * Bytes of a body came.
   * @param isAlone - whether they are a message of their own: it may be kept without copying, and is recycled.
   * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`.
   */
  data(id: number, bytes: Uint8Array, isEarly: boolean, isAlone: boolean): void {
    const stream = this.#find(id, 'data');
    const { credit } = stream;
    const { byteLength } = bytes;
    const { initialWindowBytes, connectionWindowBytes } = this.#parts.start;
    const brings = `stream ${id} brings ${byteLength} bytes where`;
    if (byteLength > credit.missingBytes)
      throw violation(`${brings} ${credit.missingBytes} of the body are missing`);
    if (isEarly) {
      const allowed = initialWindowBytes - credit.earlyBytes;
      if (byteLength > allowed) throw violation(`${brings} ${allowed} may come unasked`);
      if (!this.#early.arrived(byteLength))
        throw violation(`${brings} no more than ${connectionWindowBytes} of all bodies may come unasked`);
    } else if (byteLength > credit.askedBytes) {
      throw violation(`${brings} ${credit.askedBytes} were asked for`);
    }
    stream.take(bytes, isEarly, isAlone);
  }

  /** All of a body has come. @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`. */
  end(id: number): void {
    const stream = this.#find(id, 'an end');
    const { missingBytes } = stream.credit;
    if (missingBytes > 0) throw violation(`stream ${id} ends while ${missingBytes} of its bytes are missing`);
    this.#forget(id, stream);
    stream.body.end();
  }

  /** The rest of a body will not come. @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`. */
  reset(id: number, code: string, reason: string): void {
    const stream = this.#find(id, 'a reset');
    this.#forget(id, stream);
    stream.body.fail(resetError(code, reason));
  }

  /** Nothing more is wanted of any body, also of those that still begin: readers get the error, the peer is told. */
  close(error: Error): void {
    this.#closed ??= error;
    for (const stream of this.#streams.values()) stream.cancel(error);
  }

  #find(id: number, what: string): IncomingStream {
    const stream = this.#streams.get(id);
    if (stream) return stream;
    const why = id > this.#last ? 'which has not begun' : 'which has ended';
    throw violation(`${what} of stream ${id} came, ${why}`);
  }

  #forget(id: number, stream: IncomingStream): void {
    this.#streams.delete(id);
    this.#parts.receive.finish(stream.credit);
  }
}

/** One body under way, and the accounts of its bytes. */
class IncomingStream implements BodyReading {
  readonly body: IncomingBody;
  readonly credit: StreamCredit;
  readonly #id: number;
  readonly #parts: IncomingBodiesParts;
  readonly #early: EarlyCredit;
  /** Nobody wants the rest: what still comes is dropped until the sender has heard. */
  #isStopped = false;

  constructor(id: number, sizes: readonly number[], parts: IncomingBodiesParts, early: EarlyCredit) {
    const byteLength = sizes.reduce((sum, size) => sum + size, 0);
    this.#id = id;
    this.#parts = parts;
    this.#early = early;
    this.credit = new StreamCredit(byteLength);
    this.body = new IncomingBody(sizes, byteLength, this);
  }

  take(bytes: Uint8Array, isEarly: boolean, isAlone: boolean): void {
    this.#parts.receive.arrived(this.credit, bytes.byteLength, isEarly);
    if (!this.#isStopped) return this.body.push(bytes, isEarly, isAlone);
    this.onTaken(bytes.byteLength, isEarly ? bytes.byteLength : 0);
    if (isAlone) this.onReturned(bytes);
  }

  /** Ends the reading from this side. */
  cancel(error: Error): void {
    this.onStopped();
    this.body.fail(error);
  }

  onBegun(): void {
    this.#parts.receive.begin(this.credit);
  }

  onHungry(): void {
    this.#ask(true);
  }

  onTaken(byteLength: number, earlyBytes: number): void {
    const { receive, replies } = this.#parts;
    receive.taken(this.credit, byteLength - earlyBytes);
    const returned = this.#early.taken(earlyBytes);
    if (returned > 0) replies.sendCredit(0, returned);
    this.#ask(this.body.isHungry);
  }

  onReturned(bytes: Uint8Array): void {
    this.#parts.recycle(bytes);
  }

  onStopped(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#parts.receive.finish(this.credit);
    this.#parts.replies.sendStop(this.#id);
  }

  #ask(isStarving: boolean): void {
    const bytes = this.#parts.receive.ask(this.credit, isStarving);
    if (bytes > 0) this.#parts.replies.sendCredit(this.#id, bytes);
  }
}

/** An unknown code is not made up: the bytes are gone, as when the connection closes. */
function resetError(code: string, reason: string): Error {
  const known = Object.hasOwn(ERRORS, code) ? code : 'TRANSPORT_CLOSED';
  return newErrorOfClass('RoutineEngineError', `A body was cut off by its sender: ${reason}`, known);
}
