import { MessageChannel } from 'node:worker_threads';
import { Observable, type Subscriber } from 'rxjs';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import { LIMITS } from '../../src/model/limits.ts';
import type { MessagePipe } from '../../src/ports/message-pipe.ts';

/** Bytes on their way before `send` says that there is no room. */
const WINDOW_BYTES = 2 * 1024 * 1024;
/** What a message counts beside its bytes. */
const OVERHEAD_BYTES = 64;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What is used of a MessagePort. */
interface Port {
  postMessage(parcel: Parcel, moved?: readonly ArrayBuffer[]): void;
  on(event: 'message' | 'close', listener: (parcel: Parcel) => void): unknown;
  close(): void;
}

/** A message; bytes that were heard; or a goodbye. */
type Parcel = Uint8Array | number | null;

const sizeOf = ({ byteLength }: Uint8Array): number => byteLength + OVERHEAD_BYTES;

/** One end of a pipe over a MessageChannel: as small as a pipe may be that keeps all its promises. */
export class ChannelPipe implements MessagePipe {
  readonly peer = 'the other end of a channel';
  readonly capabilities = { largestMessageBytes: LIMITS.chunkBytes };
  readonly closed: Promise<Error | undefined>;
  readonly #port: Port;
  #subscriber: Subscriber<Uint8Array> | undefined;
  #arrived: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #unheardBytes = 0;
  #isPaused = false;
  #isMeant = false;
  #isClosed = false;
  /** Nothing comes any more. */
  #isOver = false;
  /** What has come while the link was silent. */
  #frozen: Parcel[] | undefined;

  constructor(port: Port) {
    this.#port = port;
    port.on('message', (parcel: Parcel) => (this.#frozen ? this.#frozen.push(parcel) : this.#take(parcel)));
    this.closed = new Promise((resolve) => {
      port.on('close', () => {
        this.#stopSending();
        this.#isOver = true;
        this.#deliver();
        resolve(this.#isMeant ? undefined : new Error('the channel broke'));
      });
    });
  }

  /** Two ends of one channel. */
  static pair(): { readonly here: ChannelPipe; readonly there: ChannelPipe } {
    const { port1, port2 } = new MessageChannel();
    return { here: new ChannelPipe(port1 as Port), there: new ChannelPipe(port2 as Port) };
  }

  readonly messages$: Observable<Uint8Array> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    this.#deliver();
  });

  send(message: Uint8Array): boolean {
    if (this.#isClosed) throw closedError();
    this.#unheardBytes += sizeOf(message);
    // In memory of its own: posting a view copies all of the memory around it.
    const copy = new Uint8Array(message);
    this.#port.postMessage(copy, [copy.buffer]);
    return !this.#isFull;
  }

  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(closedError());
    if (!this.#isFull) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  pause(): void {
    this.#isPaused = true;
  }

  resume(): void {
    this.#isPaused = false;
    this.#deliver();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isMeant = true;
    this.#stopSending();
    this.#port.postMessage(null);
    this.#port.close();
  }

  /** Breaks the channel, as if the other end had crashed. */
  cut(): void {
    this.#frozen = undefined;
    this.#port.close();
  }

  /** Lets what comes wait, until it is thawed or cut. */
  freeze(): void {
    this.#frozen ??= [];
  }

  thaw(): void {
    const frozen = this.#frozen ?? [];
    this.#frozen = undefined;
    for (const parcel of frozen) this.#take(parcel);
  }

  get #isFull(): boolean {
    return this.#unheardBytes >= WINDOW_BYTES;
  }

  #take(parcel: Parcel): void {
    if (parcel instanceof Uint8Array) {
      this.#arrived.push(parcel);
      return this.#deliver();
    }
    if (parcel === null) {
      this.#isMeant = true;
      return this.#stopSending();
    }
    this.#unheardBytes -= parcel;
    if (!this.#isFull) for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  #deliver(): void {
    while (this.#subscriber && !this.#isPaused) {
      const message = this.#arrived.shift();
      if (!message) break;
      if (!this.#isClosed) this.#port.postMessage(sizeOf(message));
      this.#subscriber.next(message);
    }
    if (this.#isOver && !this.#isPaused && this.#arrived.length === 0) this.#subscriber?.complete();
  }

  #stopSending(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
  }
}

function closedError(): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_CLOSED', 'The channel is closed');
}
