import type { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import {
  LIMITS,
  RoutineEngineError,
  type Clock,
  type MessagePipe,
  type MessagePipeCapabilities,
  type Timer,
} from '@routine-engine/core/adapter';
import { Observable, type Subscriber } from 'rxjs';
import { closeReason, GOING_AWAY, NORMAL, NOT_BINARY, saysGoodbye } from './close-codes.js';

/** Bytes that wait for the socket before `send` tells to wait. */
const FULL_BYTES = 4 * LIMITS.chunkBytes;
/** Once no more than this waits there is room again: before the socket has nothing left to write. */
const ROOM_BYTES = LIMITS.chunkBytes;
/** Far more than `send` lets wait: the peer asks to be answered and reads no answer. */
const UNREAD_BYTES = 4 * FULL_BYTES;
const SEND_OPTIONS = { binary: true, compress: false } as const;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** What a pipe is made of. */
export interface WebSocketPipeParts {
  /** An open one that nobody has read of; belongs to the pipe from here on. */
  readonly socket: WebSocket;
  /** The stream below it. */
  readonly stream: Duplex;
  readonly peer: string;
  readonly clock: Clock;
  /** Milliseconds between two questions whether the peer is there; one that said nothing meanwhile is gone. */
  readonly pingMs: number;
}

/** A pipe over one WebSocket: a binary message each, those of one turn in one write. */
export class WebSocketPipe implements MessagePipe {
  readonly peer: string;
  readonly capabilities: MessagePipeCapabilities = { largestMessageBytes: LIMITS.chunkBytes };
  readonly closed: Promise<Error | undefined>;
  readonly #parts: WebSocketPipeParts;
  readonly #socket: WebSocket;
  #subscriber: Subscriber<Uint8Array> | undefined;
  /** What came before anybody listened. */
  #early: Uint8Array[] = [];
  #waiting: Waiting[] = [];
  #pinging: Timer | undefined;
  #isCorked = false;
  #isPaused = false;
  /** This side ends as a whole, and not only the connection. */
  #isGoingAway = false;
  /** The peer was heard since the last ping. */
  #isHeard = true;
  /** Nothing can be sent any more. */
  #isClosed = false;
  /** Nothing comes any more. */
  #isOver = false;
  /** Either side said that it closes. */
  #isMeant = false;
  #failure: Error | undefined;

  constructor(parts: WebSocketPipeParts) {
    const { socket, peer } = parts;
    this.#parts = parts;
    this.#socket = socket;
    this.peer = peer;
    socket.pause();
    socket.on('error', (error) => (this.#failure ??= error));
    socket.on('message', (data: Buffer, isBinary: boolean) => this.#take(data, isBinary));
    socket.on('ping', () => this.#answered());
    socket.on('pong', this.#onHeard);
    this.closed = new Promise((resolve) => {
      socket.on('close', (code: number) => {
        this.#isMeant ||= saysGoodbye(code);
        this.#end();
        const cause = this.#failure ?? new Error(`${peer} ended with code ${code}, without a goodbye`);
        resolve(this.#isMeant ? undefined : cause);
      });
    });
    this.#pingLater();
  }

  readonly messages$: Observable<Uint8Array> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    for (const message of this.#early.splice(0)) subscriber.next(message);
    if (this.#isOver && !this.#isPaused) subscriber.complete();
    else if (!this.#isPaused) this.#socket.resume();
  });

  send(message: Uint8Array, released?: () => void): boolean {
    if (this.#isClosed) throw this.#closedError();
    this.#cork();
    this.#socket.send(message, SEND_OPTIONS, (error) => {
      released?.();
      // What was thrown away makes no room: those who wait hear of the close. Node tells no error of a write in hand as it does.
      if (!error && !this.#parts.stream.destroyed) this.#tellRoom();
    });
    return this.#socket.bufferedAmount < FULL_BYTES;
  }

  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    if (this.#socket.bufferedAmount <= ROOM_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  pause(): void {
    this.#isPaused = true;
    // Once this side closed, reading goes on to the goodbye of the peer; what comes before it is dropped.
    if (!this.#isClosed) this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isOver) return this.#subscriber?.complete();
    if (this.#subscriber) this.#socket.resume();
  }

  /** Has the close that follows tell the peer that this side ends as a whole. */
  goesAway(): void {
    this.#isGoingAway = true;
  }

  close(reason?: string): void {
    if (this.#isClosed) return;
    this.#isMeant = true;
    this.#socket.close(this.#isGoingAway ? GOING_AWAY : NORMAL, closeReason(reason));
    this.#socket.resume();
    this.#stopSending();
  }

  #take(data: Buffer, isBinary: boolean): void {
    this.#isHeard = true;
    if (!isBinary) {
      this.#failure ??= new Error(`${this.peer} sent text, and messages here are binary`);
      this.#socket.close(NOT_BINARY, 'binary messages only');
      return this.#stopSending();
    }
    if (this.#isPaused && this.#isClosed) return;
    if (this.#subscriber) this.#subscriber.next(data);
    else this.#early.push(data);
  }

  /** Lets all writes of this turn go out at its end. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    const { stream } = this.#parts;
    stream.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      stream.uncork();
    });
  }

  #tellRoom(): void {
    if (this.#waiting.length === 0 || this.#socket.bufferedAmount > ROOM_BYTES) return;
    for (const { resolve } of this.#waiting.splice(0)) resolve();
  }

  readonly #onHeard = (): void => {
    this.#isHeard = true;
  };

  /** A ping was answered. */
  #answered(): void {
    this.#isHeard = true;
    if (this.#socket.bufferedAmount <= UNREAD_BYTES) return;
    this.#failure ??= new Error(`${this.peer} pings, and reads no answer`);
    this.#socket.terminate();
  }

  #pingLater(): void {
    const { clock, pingMs } = this.#parts;
    if (pingMs === 0) return;
    this.#pinging = clock.after(pingMs, () => {
      // Nothing is read in a pause, so nothing can be said of a peer then.
      if (!this.#isHeard && !this.#isPaused && this.#subscriber) {
        this.#failure ??= new Error(`${this.peer} answered no ping within ${pingMs} ms`);
        return this.#socket.terminate();
      }
      this.#isHeard = false;
      this.#socket.ping();
      this.#pingLater();
    });
  }

  #end(): void {
    this.#pinging?.cancel();
    this.#stopSending();
    this.#isOver = true;
    if (!this.#isPaused) this.#subscriber?.complete();
  }

  #stopSending(): void {
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#closedError());
  }

  #closedError(): RoutineEngineError {
    return new RoutineEngineError('TRANSPORT_CLOSED', `The WebSocket to ${this.peer} is closed`);
  }
}
