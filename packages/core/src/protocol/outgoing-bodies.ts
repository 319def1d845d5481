import { isError, readProperty } from '../errors/error-class.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import { sourceOf, type BodySource } from './body-source.js';
import { LAST_STREAM, violation, type StartFrame } from './frames.js';

/** What the sender of bodies says to their receiver when no bytes are due, and when some may be. */
export interface BodyNotices {
  sendEnd(stream: number): void;
  sendReset(stream: number, code: string, reason: string): void;
  /** There may be bytes to take, or room for more bodies. */
  onChange(): void;
}

/** Bytes of a body that may be sent now. */
export interface OutgoingPiece {
  readonly stream: number;
  readonly bytes: Uint8Array;
  /** Nobody asked for them yet. */
  readonly isEarly: boolean;
  /** To be copied by whoever keeps them. */
  readonly isLent: boolean;
  /** To be called once they are needed no more, if that is ever known. */
  readonly released: (() => void) | undefined;
}

/** One body on its way out. */
interface Stream {
  readonly id: number;
  readonly source: BodySource;
  readonly byteLength: number;
  /** Not sent yet. */
  restBytes: number;
  /** All that was ever asked for. */
  askedBytes: number;
  /** Asked for and not sent. */
  creditBytes: number;
  /** May be sent unasked: its part of the connection's window. */
  earlyBytes: number;
  /** Whether its source was asked for more: it must not be asked twice at once. */
  isPulling: boolean;
}

/**
 * The bodies on their way to a peer: which of them may send next, in turn, and never more than was asked for, or than
 * may come unasked. Pulls from a body only what may be sent, so that little of it is in memory.
 */
export class OutgoingBodies {
  readonly #notices: BodyNotices;
  readonly #streams = new Map<number, Stream>();
  /** Those that may send; the first is next. */
  readonly #ready = new Set<Stream>();
  /** Those that wait for a part of the connection's window; the first is next. */
  readonly #unopened = new Set<Stream>();
  #last = 0;
  #start: StartFrame | undefined;
  /** What of the connection's window is not given to any stream. */
  #freeBytes = 0;

  constructor(notices: BodyNotices) {
    this.#notices = notices;
  }

  /** Bodies that are under way. */
  get size(): number {
    return this.#streams.size;
  }

  /** Whether all stream ids are used up, after four billion bodies. */
  get isExhausted(): boolean {
    return this.#last === LAST_STREAM;
  }

  /** Takes a body on. @returns the id of its stream. */
  open(body: Body): number {
    this.#last += 1;
    const stream: Stream = {
      id: this.#last,
      source: sourceOf(body),
      byteLength: body.byteLength,
      restBytes: body.byteLength,
      askedBytes: 0,
      creditBytes: 0,
      earlyBytes: 0,
      isPulling: false,
    };
    this.#streams.set(stream.id, stream);
    this.#unopened.add(stream);
    this.#openEarly();
    this.#notices.onChange();
    return stream.id;
  }

  /** The peer has said what may be sent unasked. */
  started(start: StartFrame): void {
    this.#start = start;
    this.#freeBytes = start.connectionWindowBytes;
    this.#openEarly();
    this.#notices.onChange();
  }

  /** The peer asks for bytes; on stream 0 it gives some of its window back. @throws `PROTOCOL_MALFORMED`. */
  credit(id: number, bytes: number): void {
    if (bytes === 0) throw violation(`credit of no bytes for stream ${id}`);
    if (id === 0) this.#creditConnection(bytes);
    else this.#creditStream(id, bytes);
    this.#notices.onChange();
  }

  /** The peer wants no more of a body. @throws `PROTOCOL_MALFORMED`. */
  stop(id: number): void {
    const stream = this.#find(id, 'a stop');
    if (!stream) return;
    this.#forget(stream);
    stream.source.stop();
    this.#notices.sendReset(id, 'RUN_CANCELLED', 'nobody reads it');
  }

  /** Tells all bodies that no more is wanted. */
  close(): void {
    for (const stream of this.#streams.values()) {
      this.#forget(stream);
      stream.source.stop();
    }
  }

  /**
   * The next bytes to send; what they are part of takes its turn behind the others. Ends of bodies are told meanwhile,
   * so the bytes given before must have been sent.
   * @param most - longest piece.
   * @returns `undefined` when there are none for now.
   */
  next(most: number): OutgoingPiece | undefined {
    for (const stream of this.#ready) {
      this.#ready.delete(stream);
      const piece = stream.source.isDone ? this.#finish(stream) : this.#cut(stream, most);
      if (piece) return piece;
    }
    return undefined;
  }

  #cut(stream: Stream, most: number): OutgoingPiece | undefined {
    // First, so that others get their part of the window back as soon as these are read.
    const isEarly = stream.earlyBytes > 0;
    const allowed = isEarly ? stream.earlyBytes : stream.creditBytes;
    if (allowed === 0 && stream.restBytes > 0) return undefined;
    // One byte too many, so that a body that is longer than it said is found out.
    const bytes = stream.source.take(stream.restBytes === 0 ? 1 : Math.min(allowed, most));
    if (!bytes) {
      void this.#pull(stream);
      return undefined;
    }
    if (bytes.byteLength > stream.restBytes) return this.#fail(stream, wrongLength(stream, 'has more than'));
    stream.restBytes -= bytes.byteLength;
    if (isEarly) stream.earlyBytes -= bytes.byteLength;
    else stream.creditBytes -= bytes.byteLength;
    this.#ready.add(stream);
    const { isLent, released } = stream.source;
    return { stream: stream.id, bytes, isEarly, isLent, released };
  }

  async #pull(stream: Stream): Promise<void> {
    if (stream.isPulling) return;
    stream.isPulling = true;
    try {
      await stream.source.pull();
      stream.isPulling = false;
      if (!this.#streams.has(stream.id)) return;
      this.#ready.add(stream);
    } catch (error) {
      if (!this.#streams.has(stream.id)) return;
      this.#fail(stream, error);
    }
    this.#notices.onChange();
  }

  #finish(stream: Stream): undefined {
    if (stream.restBytes > 0)
      return this.#fail(stream, wrongLength(stream, `ended ${stream.restBytes} bytes short of`));
    this.#forget(stream);
    this.#notices.sendEnd(stream.id);
  }

  #fail(stream: Stream, error: unknown): undefined {
    this.#forget(stream);
    stream.source.stop();
    const code = error instanceof RoutineEngineError ? error.code : 'TRANSPORT_CLOSED';
    this.#notices.sendReset(stream.id, code, reasonOf(error));
  }

  #creditConnection(bytes: number): void {
    const window = this.#start?.connectionWindowBytes ?? 0;
    this.#freeBytes += bytes;
    if (this.#freeBytes > window)
      throw violation(
        `${bytes} bytes more of the connection's window of ${window} were given back than taken`,
      );
    this.#openEarly();
  }

  #creditStream(id: number, bytes: number): void {
    const stream = this.#find(id, 'credit');
    if (!stream) return;
    stream.askedBytes += bytes;
    if (stream.askedBytes > stream.byteLength)
      throw violation(
        `${stream.askedBytes} bytes were asked of stream ${id}, which has ${stream.byteLength}`,
      );
    stream.creditBytes += bytes;
    this.#unopened.delete(stream);
    this.#ready.add(stream);
  }

  /** Gives waiting bodies their part of the connection's window, while there is some. */
  #openEarly(): void {
    if (!this.#start) return;
    const { initialWindowBytes, connectionWindowBytes } = this.#start;
    for (const stream of this.#unopened) {
      const part = Math.min(initialWindowBytes, connectionWindowBytes, stream.restBytes);
      if (part > this.#freeBytes) return;
      this.#freeBytes -= part;
      stream.earlyBytes = part;
      this.#unopened.delete(stream);
      this.#ready.add(stream);
    }
  }

  /** A stream that has ended may still be spoken of by a peer that has not heard; one that never began may not. */
  #find(id: number, what: string): Stream | undefined {
    if (id === 0 || id > this.#last) throw violation(`${what} for stream ${id} came, which has not begun`);
    return this.#streams.get(id);
  }

  #forget(stream: Stream): void {
    this.#streams.delete(stream.id);
    this.#ready.delete(stream);
    this.#unopened.delete(stream);
    this.#freeBytes += stream.earlyBytes;
    stream.earlyBytes = 0;
    this.#openEarly();
  }
}

/** What is thrown may be anything, also what has no text. */
function reasonOf(error: unknown): string {
  const message = isError(error) ? readProperty(error, 'message') : error;
  return typeof message === 'string' ? message : 'it threw what is no error';
}

function wrongLength({ byteLength }: Stream, how: string): RoutineEngineError {
  return new RoutineEngineError('BYTES_MALFORMED', `A body ${how} its ${byteLength} bytes`);
}
