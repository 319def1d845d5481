import { Observable, type Subscriber } from 'rxjs';
import type { Envelope } from '../ports/transport.js';
import { Fifo } from './fifo.js';

/** What an envelope counts beside its bytes, whatever is in it. */
const ENVELOPE_BYTES = 256;

interface Kept {
  readonly envelope: Envelope;
  readonly bytes: number;
}

/**
 * Envelopes on their way to the one subscriber: handed over at once while there is one, else kept in order. A pause of
 * the pipe holds up credit too, so that nothing large goes out either until somebody subscribes.
 */
export class Inbox {
  readonly #windowBytes: number;
  readonly #onCrowded: (isCrowded: boolean) => void;
  readonly #kept = new Fifo<Kept>();
  #keptBytes = 0;
  #subscriber: Subscriber<Envelope> | undefined;
  #isComplete = false;
  #isScheduled = false;

  /**
   * @param windowBytes - how much to keep before asking for a pause.
   * @param onCrowded - hears when the window is full, and when it has room again.
   */
  constructor(windowBytes: number, onCrowded: (isCrowded: boolean) => void) {
    this.#windowBytes = windowBytes;
    this.#onCrowded = onCrowded;
  }

  /** See `Connection.inbound$`. */
  readonly inbound$: Observable<Envelope> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    this.#schedule();
    return () => {
      if (this.#subscriber === subscriber) this.#subscriber = undefined;
    };
  });

  /** Hands an envelope on. @param byteLength - of its bytes as they came. */
  push(envelope: Envelope, byteLength: number): void {
    if (this.#isComplete) return;
    if (this.#subscriber && this.#kept.length === 0) {
      this.#subscriber.next(envelope);
      return;
    }
    const bytes = ENVELOPE_BYTES + byteLength;
    const wasCrowded = this.#isCrowded;
    this.#kept.push({ envelope, bytes });
    this.#keptBytes += bytes;
    if (!wasCrowded && this.#isCrowded) this.#onCrowded(true);
  }

  /** Nothing more comes; what is kept is still handed over. */
  complete(): void {
    if (this.#isComplete) return;
    this.#isComplete = true;
    this.#schedule();
  }

  get #isCrowded(): boolean {
    return this.#keptBytes >= this.#windowBytes;
  }

  /** Not at once: whoever subscribes does not have its subscription in hand yet. */
  #schedule(): void {
    if (this.#isScheduled || !this.#subscriber) return;
    this.#isScheduled = true;
    queueMicrotask(() => this.#deliver());
  }

  #deliver(): void {
    this.#isScheduled = false;
    const wasCrowded = this.#isCrowded;
    while (this.#subscriber) {
      const kept = this.#kept.shift();
      if (!kept) break;
      this.#keptBytes -= kept.bytes;
      this.#subscriber.next(kept.envelope);
    }
    if (wasCrowded && !this.#isCrowded) this.#onCrowded(false);
    if (this.#isComplete && this.#kept.length === 0) this.#subscriber?.complete();
  }
}
