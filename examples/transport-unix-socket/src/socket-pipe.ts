import type { Socket } from 'node:net';
import { LIMITS, RoutineEngineError, type MessagePipe } from '@routine-engine/core/adapter';
import { Observable, type Subscriber } from 'rxjs';

const LENGTH_BYTES = 4;
/** A message without bytes, of which there are none otherwise: the sender closes. */
const GOODBYE = new Uint8Array(LENGTH_BYTES);

/** A pipe over a socket: each message behind its length, four bytes, the highest first. */
export class SocketPipe implements MessagePipe {
  readonly peer: string;
  readonly capabilities = { largestMessageBytes: LIMITS.chunkBytes };
  readonly closed: Promise<Error | undefined>;
  readonly #socket: Socket;
  #subscriber: Subscriber<Uint8Array> | undefined;
  #early: Uint8Array[] = [];
  /** Bytes of which the message is not whole yet. */
  #rest: Uint8Array = new Uint8Array(0);
  #waiting: { readonly resolve: () => void; readonly reject: (error: Error) => void }[] = [];
  #isPaused = false;
  /** Nothing can be sent any more. */
  #isClosed = false;
  /** Nothing comes any more. */
  #isOver = false;
  /** Either side said that it closes. */
  #isMeant = false;

  /** @param socket - an open one that nobody has read of; belongs to the pipe from here on. */
  constructor(socket: Socket, peer: string) {
    this.#socket = socket;
    this.peer = peer;
    let failure: Error | undefined;
    socket.on('error', (error) => (failure = error));
    socket.on('data', (bytes: Buffer) => this.#take(bytes));
    socket.on('drain', () => this.#waiting.splice(0).forEach(({ resolve }) => resolve()));
    // It may end the loop of Node while it has something to say: its end tells of that.
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end();
        resolve(this.#isMeant ? undefined : (failure ?? new Error(`${peer} ended without a goodbye`)));
      });
    });
  }

  readonly messages$: Observable<Uint8Array> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const message of this.#early.splice(0)) subscriber.next(message);
    if (this.#isOver && !this.#isPaused) subscriber.complete();
  });

  send(message: Uint8Array, released?: () => void): boolean {
    if (this.#isClosed) throw this.#closedError();
    const length = Buffer.allocUnsafe(LENGTH_BYTES);
    length.writeUInt32BE(message.byteLength);
    this.#socket.cork();
    this.#socket.write(length);
    const hasRoom = this.#socket.write(message, () => released?.());
    // Both in one write, with what else is sent in this turn.
    process.nextTick(() => this.#socket.uncork());
    return hasRoom;
  }

  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    if (!this.#socket.writableNeedDrain) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  pause(): void {
    this.#isPaused = true;
    // Once this side has closed, reading goes on to the end of the peer; what comes before it is dropped.
    if (!this.#isClosed) this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    this.#socket.resume();
    if (this.#isOver) this.#subscriber?.complete();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isMeant = true;
    this.#socket.end(GOODBYE);
    this.#socket.resume();
    this.#stopSending();
  }

  #take(bytes: Uint8Array): void {
    let rest = this.#rest.byteLength === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    while (rest.byteLength >= LENGTH_BYTES && !this.#socket.destroyed) {
      const length = new DataView(rest.buffer, rest.byteOffset).getUint32(0);
      if (length > LIMITS.chunkBytes) {
        this.#socket.destroy(new Error(`${this.peer} sent a message of ${length} bytes`));
        return;
      }
      const end = LENGTH_BYTES + length;
      if (rest.byteLength < end) break;
      if (length === 0) this.#isMeant = true;
      else this.#give(rest.slice(LENGTH_BYTES, end));
      rest = rest.subarray(end);
    }
    this.#rest = rest;
  }

  #give(message: Uint8Array): void {
    if (this.#isPaused && this.#isClosed) return;
    if (this.#subscriber) this.#subscriber.next(message);
    else this.#early.push(message);
  }

  #end(): void {
    this.#stopSending();
    this.#isOver = true;
    if (!this.#isPaused) this.#subscriber?.complete();
  }

  #stopSending(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closedError());
  }

  #closedError(): RoutineEngineError {
    return new RoutineEngineError('TRANSPORT_CLOSED', `The socket to ${this.peer} is closed`);
  }
}
