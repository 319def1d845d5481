import { Observable, ReplaySubject, type Subscriber } from 'rxjs';
import {
  RoutineEngineError,
  type Connection,
  type ConnectionState,
  type Envelope,
} from '@routine-engine/core/adapter';

/** What a header counts in the window, whatever is in it. */
const HEADER_BYTES = 256;

/** Somebody who waits for the window of the peer. */
interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** One end of a connection between two nodes of one process. Envelopes go over by reference, after the sender's turn. */
export class InprocConnection implements Connection {
  readonly peer: string;
  readonly #windowBytes: number;
  #other: InprocConnection | undefined;
  #waiting: Waiting[] = [];
  /** Sent by the peer and not yet handled: what the window counts. */
  #inbox: Envelope[] = [];
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
    return this.#other !== undefined && this.#other.#isFull;
  }

  send(envelope: Envelope): boolean {
    if (this.#closed) throw closedError(this.peer);
    const other = this.#other;
    if (other) other.#take(envelope);
    return !this.full;
  }

  drained(): Promise<void> {
    if (this.#closed) return Promise.reject(closedError(this.peer));
    if (!this.full) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#end();
    const other = this.#other;
    if (other) other.#peerEnds();
  }

  get #isFull(): boolean {
    return this.#inboxBytes >= this.#windowBytes;
  }

  #take(envelope: Envelope): void {
    this.#inbox.push(envelope);
    this.#inboxBytes += bytesOf(envelope);
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
    let delivered = 0;
    for (const envelope of batch) {
      // Unsubscribed by what it was given: the rest waits for the next subscriber.
      if (!this.#subscriber) break;
      delivered += 1;
      this.#inboxBytes -= bytesOf(envelope);
      this.#subscriber.next(envelope);
    }
    if (delivered < batch.length) {
      this.#inbox = [...batch.slice(delivered), ...this.#inbox];
      return;
    }
    const other = this.#other;
    if (other) other.#tellDrained();
    if (this.#inbox.length > 0) this.#scheduleDelivery();
    else if (this.#peerClosed || this.#closed) this.#subscriber?.complete();
  }

  /** Tells those who wait that the peer's window has room again. */
  #tellDrained(): void {
    if (this.full) return;
    for (const { resolve } of this.#takeWaiting()) resolve();
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #peerEnds(): void {
    this.#peerClosed = true;
    this.#end();
    this.#scheduleDelivery();
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const { reject } of this.#takeWaiting()) reject(closedError(this.peer));
    this.#state.next('closed');
    this.#state.complete();
    if (this.#inbox.length === 0) this.#scheduleDelivery();
  }
}

/** What an envelope counts in the window. */
function bytesOf({ body }: Envelope): number {
  return HEADER_BYTES + (body?.byteLength ?? 0);
}

function closedError(peer: string): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_CLOSED', `The connection to ${peer} is closed`);
}
