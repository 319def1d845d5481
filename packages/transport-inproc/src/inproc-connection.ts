import { Observable, ReplaySubject, type Subscriber } from 'rxjs';
import {
  RoutineEngineError,
  type Connection,
  type ConnectionState,
  type Envelope,
} from '@routine-engine/core/adapter';

/** What a header counts in the window, whatever is in it. */
const HEADER_BYTES = 256;

interface Waiting {
  readonly envelope: Envelope;
  readonly bytes: number;
  readonly taken: () => void;
  readonly refused: (error: Error) => void;
}

/** One end of a connection between two nodes of one process. Envelopes go over by reference, after the sender's turn. */
export class InprocConnection implements Connection {
  readonly peer: string;
  readonly #windowBytes: number;
  #other: InprocConnection | undefined;
  /** Sent by this end, and not yet in the peer's window. */
  readonly #waiting: Waiting[] = [];
  /** In this end's window: sent by the peer and not yet handled. */
  #inbox: { readonly envelope: Envelope; readonly bytes: number }[] = [];
  #inboxBytes = 0;
  #subscriber: Subscriber<Envelope> | undefined;
  #delivering = false;
  #closed = false;
  #peerClosed = false;
  readonly #state = new ReplaySubject<ConnectionState>(1);

  /** @param windowBytes - bytes that this end takes before its peer has to wait. */
  constructor(peer: string, windowBytes: number) {
    this.peer = peer;
    this.#windowBytes = windowBytes;
    this.#state.next('open');
  }

  /** Ties two ends together. */
  static connect(one: InprocConnection, two: InprocConnection): void {
    one.#other = two;
    two.#other = one;
  }

  readonly state$: Observable<ConnectionState> = new Observable((listener) =>
    this.#state.subscribe(listener),
  );

  readonly inbound$: Observable<Envelope> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    this.#scheduleDelivery();
    return () => {
      if (this.#subscriber === subscriber) this.#subscriber = undefined;
    };
  });

  get full(): boolean {
    return this.#waiting.length > 0 || (this.#other !== undefined && this.#other.#isFull);
  }

  send(envelope: Envelope): Promise<void> {
    if (this.#closed) return Promise.reject(closedError(this.peer));
    const bytes = HEADER_BYTES + (envelope.body?.byteLength ?? 0);
    const other = this.#other;
    if (other && this.#waiting.length === 0 && !other.#isFull) {
      other.#take(envelope, bytes);
      return Promise.resolve();
    }
    return new Promise((taken, refused) => this.#waiting.push({ envelope, bytes, taken, refused }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    const other = this.#other;
    if (other) other.#peerEnds();
  }

  /** One envelope larger than the window passes when nothing else is in it. */
  get #isFull(): boolean {
    return this.#inboxBytes >= this.#windowBytes;
  }

  #take(envelope: Envelope, bytes: number): void {
    this.#inbox.push({ envelope, bytes });
    this.#inboxBytes += bytes;
    this.#scheduleDelivery();
  }

  #scheduleDelivery(): void {
    if (this.#delivering || !this.#subscriber) return;
    this.#delivering = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#delivering = false;
    const batch = this.#inbox;
    this.#inbox = [];
    for (const [index, { envelope, bytes }] of batch.entries()) {
      if (!this.#subscriber) {
        // Unsubscribed by what it was given: the rest waits for the next subscriber.
        this.#inbox = [...batch.slice(index), ...this.#inbox];
        return;
      }
      this.#inboxBytes -= bytes;
      this.#subscriber.next(envelope);
    }
    const other = this.#other;
    if (other) other.#refill();
    if (this.#inbox.length > 0) this.#scheduleDelivery();
    else if (this.#peerClosed || this.#closed) this.#subscriber?.complete();
  }

  /** Moves what waits into the peer's window, as far as it goes. */
  #refill(): void {
    const other = this.#other;
    while (other && !other.#isFull) {
      const next = this.#waiting.shift();
      if (!next) return;
      other.#take(next.envelope, next.bytes);
      next.taken();
    }
  }

  #peerEnds(): void {
    this.#peerClosed = true;
    this.#end();
    this.#scheduleDelivery();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { refused } of this.#waiting.splice(0)) refused(closedError(this.peer));
    this.#state.next('closed');
    this.#state.complete();
    if (this.#inbox.length === 0) this.#scheduleDelivery();
  }
}

function closedError(peer: string): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${peer} is closed`);
}
