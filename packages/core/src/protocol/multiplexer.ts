import type { Observable, Subscription } from 'rxjs';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { StateFeed } from '../events/state-feed.js';
import { bodyOf, encodedOfParts, type Body } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import type { NodeRole } from '../model/node-role.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { MessagePipe } from '../ports/message-pipe.js';
import type { Connection, ConnectionState, Envelope } from '../ports/transport.js';
import { readRecord, type IncomingRecord, type RecordPlace } from './envelope-record.js';
import { FrameReader, type FrameHandler } from './frame-reader.js';
import { FrameSender } from './frame-sender.js';
import type { StartFrame } from './frames.js';
import { Inbox } from './inbox.js';
import { IncomingBodies } from './incoming-bodies.js';
import { checkMessageBytes, multiplexLimits, type MultiplexLimits } from './multiplex-limits.js';
import { ReceiveCredit } from './receive-credit.js';

/** Longest reason given to a pipe, in UTF-16 units. */
const REASON_LENGTH = 100;

/** How a connection is made of a pipe. @public */
export interface MultiplexOptions {
  readonly clock: Clock;
  /** What differs from the defaults. */
  readonly limits?: Partial<MultiplexLimits>;
  /**
   * Hears once when the peer breaks the protocol, and the connection has closed: `PROTOCOL_MALFORMED` naming what
   * was wrong and where, or `PROTOCOL_VERSION`.
   */
  readonly onViolation?: (error: RoutineEngineError) => void;
  /** What the peer may be to the service; becomes {@link Connection.roles}. Default: anything. */
  readonly roles?: readonly NodeRole[];
}

/**
 * Makes a connection of a pipe: directives, and any number of bodies of any size beside them, each with a window of
 * its own. `docs/protocol.md` specifies the bytes.
 *
 * A directive is handed over in the order of sending, with a small body in memory (`parts`), and with a larger one as
 * soon as it began: such a body streams, belongs to whoever gets the envelope, and is read once, or given up with
 * `return()` of its iterator; until then its sender keeps it. It throws `TRANSPORT_CLOSED` when the connection closes
 * in the middle of it, and what its sender's body threw. A chunk is lent until the next one is asked for: then its memory
 * goes back to a pipe that uses it again.
 *
 * @param pipe - belongs to the connection from here on.
 * @throws {@link RoutineEngineError} `OPTION_INVALID` for limits out of range or a pipe with too small messages.
 * @public
 */
export function multiplex(pipe: MessagePipe, options: MultiplexOptions): Connection {
  return new MultiplexedConnection(pipe, options);
}

class MultiplexedConnection implements Connection {
  readonly roles?: readonly NodeRole[];
  readonly #pipe: MessagePipe;
  readonly #clock: Clock;
  readonly #limits: MultiplexLimits;
  readonly #onViolation: ((error: RoutineEngineError) => void) | undefined;
  readonly #state = new StateFeed<ConnectionState>('open');
  readonly #sender: FrameSender;
  readonly #bodies: IncomingBodies;
  readonly #inbox: Inbox;
  readonly #reader: FrameReader;
  #messages: Subscription | undefined;
  /** Why nothing can be sent any more, once that is so. */
  #closed: RoutineEngineError | undefined;
  #closing: Promise<void> | undefined;
  #isOver = false;

  constructor(pipe: MessagePipe, { clock, limits, onViolation, roles }: MultiplexOptions) {
    checkMessageBytes(pipe.capabilities.largestMessageBytes);
    this.#pipe = pipe;
    if (roles) this.roles = roles;
    this.#clock = clock;
    this.#limits = multiplexLimits(limits);
    this.#onViolation = onViolation;
    this.#sender = new FrameSender(pipe, clock, this.#limits, (error) => this.#pipeClosed(error));
    const { initialWindowBytes, streamWindowBytes, connectionWindowBytes, openBodies } = this.#limits;
    const half = Math.floor(connectionWindowBytes / 2);
    const start: StartFrame = { initialWindowBytes, connectionWindowBytes: half };
    const receive = new ReceiveCredit(streamWindowBytes, half, LIMITS.chunkBytes);
    this.#bodies = new IncomingBodies({
      replies: this.#sender,
      recycle: (message) => pipe.recycle?.(message),
      start,
      receive,
      mostOpen: openBodies,
    });
    this.#inbox = new Inbox(connectionWindowBytes, (isCrowded) =>
      isCrowded ? this.#pipe.pause() : this.#pipe.resume(),
    );
    this.#reader = new FrameReader(this.#handler());
    this.#sender.sendStart(start);
    this.#listen();
  }

  get peer(): string {
    return this.#pipe.peer;
  }

  get inbound$(): Observable<Envelope> {
    return this.#inbox.inbound$;
  }

  get state$(): Observable<ConnectionState> {
    return this.#state.state$;
  }

  get full(): boolean {
    return !this.#closed && this.#sender.isFull;
  }

  send(envelope: Envelope): boolean {
    if (this.#closed) throw this.#closedError('is closed', this.#closed.cause);
    if (this.#sender.bodies.isExhausted) {
      void this.close('stream ids are used up');
      throw this.#closedError('has no stream ids left');
    }
    this.#sender.sendEnvelope(envelope);
    return !this.#sender.isFull;
  }

  drained(): Promise<void> {
    if (this.#closed) return Promise.reject(this.#closedError('is closed', this.#closed.cause));
    return this.#sender.drained();
  }

  close(reason = 'closed by the other side'): Promise<void> {
    return (this.#closing ??= this.#close(reason));
  }

  /** Not the connection itself: whoever holds that must not be able to speak for the peer. */
  #handler(): FrameHandler {
    const incoming = this.#bodies;
    const outgoing = this.#sender.bodies;
    return {
      onStart: (start) => outgoing.started(start),
      onEnvelope: (stream, place) => this.#receive(stream, place),
      onData: (stream, bytes, isEarly, isAlone) => incoming.data(stream, bytes, isEarly, isAlone),
      onEnd: (stream) => incoming.end(stream),
      onReset: (stream, code, reason) => incoming.reset(stream, code, reason),
      onStop: (stream) => outgoing.stop(stream),
      onCredit: (stream, bytes) => outgoing.credit(stream, bytes),
    };
  }

  #receive(stream: number, place: RecordPlace): void {
    const record = readRecord(place, stream !== 0);
    const { header } = record;
    const body = stream === 0 ? inlineBody(record) : this.#bodies.open(stream, record.sizes);
    this.#inbox.push(body ? { header, body } : { header }, place.end - place.start);
  }

  #listen(): void {
    this.#messages = this.#pipe.messages$.subscribe({
      next: (message) => this.#read(message),
      error: (error: Error) => this.#end('the pipe failed', error),
      complete: () => this.#end('the pipe ended'),
    });
    if (this.#isOver) this.#messages.unsubscribe();
    const closed = (error: Error | undefined): void => this.#pipeClosed(error);
    void this.#pipe.closed.then(closed, closed);
  }

  #read(message: Uint8Array): void {
    if (this.#isOver) return;
    try {
      this.#reader.read(message);
    } catch (error) {
      const isViolation = error instanceof RoutineEngineError;
      this.#end(isViolation ? `${error.code}: ${error.message}` : 'INTERNAL', error as Error);
      if (isViolation) this.#onViolation?.(error);
    }
  }

  /** Nothing can be sent any more; what has arrived still comes, up to the end of the messages. */
  #pipeClosed(cause: Error | undefined): void {
    this.#stopSending(this.#closedError('is closed', cause));
    // It may only have refused to send; and while it is paused it keeps what has arrived.
    this.#pipe.close('nothing can be sent');
    this.#pipe.resume();
  }

  #stopSending(error: RoutineEngineError): void {
    this.#closed ??= error;
    this.#sender.close(this.#closed);
    this.#state.set('closed');
    this.#state.complete();
  }

  /** Nothing comes and nothing goes any more. */
  #end(reason: string, cause?: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.stop();
    this.#messages?.unsubscribe();
    this.#stopSending(this.#closedError('is closed', cause));
    this.#bodies.close(this.#closedError('closed in the middle of a body', cause));
    this.#inbox.complete();
    this.#pipe.close(reason.slice(0, REASON_LENGTH));
  }

  /** This side wants nothing more. What it sent before goes out first, as long as that may take. */
  async #close(reason: string): Promise<void> {
    if (this.#isOver) return;
    this.#closed ??= this.#closedError('is closed');
    this.#state.set('closed');
    this.#state.complete();
    this.#inbox.complete();
    this.#sender.rejectWaiting(this.#closed);
    this.#bodies.close(this.#closedError('closed in the middle of a body'));
    let timer: Timer | undefined;
    const late = new Promise<void>((resolve) => {
      timer = this.#clock.after(this.#limits.drainMs, resolve);
    });
    await Promise.race([late, this.#pipe.closed, new Promise<void>((done) => this.#sender.whenIdle(done))]);
    this.#end(reason);
    await Promise.race([late, this.#pipe.closed]);
    timer?.cancel();
  }

  #closedError(how: string, cause?: unknown): RoutineEngineError {
    const options = cause === undefined ? undefined : { cause };
    return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${this.peer} ${how}`, options);
  }
}

function inlineBody({ parts }: IncomingRecord): Body | undefined {
  return parts && bodyOf(encodedOfParts(parts));
}
