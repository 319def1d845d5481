import type { Socket } from 'node:net';
import {
  LIMITS,
  RoutineEngineError,
  type MessagePipe,
  type MessagePipeCapabilities,
} from '@routine-engine/core/adapter';
import { Observable, type Subscriber } from 'rxjs';
import { free, MessageMemory } from './message-memory.js';
import { GOODBYE, LENGTH_BYTES, MessageSplitter } from './message-splitter.js';

/** Bytes that wait for the socket before `send` tells to wait. */
const FULL_BYTES = 4 * LIMITS.chunkBytes;
/** Once no more than this waits there is room again: before the socket has nothing left to write. */
const ROOM_BYTES = LIMITS.chunkBytes;
/** What the socket reads from this length on is freed at once. It is memory of its own, as long as it can be. */
const FREED_BYTES = 32 * 1024;

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * A pipe over a stream socket: each message behind its length, those of one turn in one system call. For benchmarks
 * only: it does not bound what a peer may send.
 */
export class SocketPipe implements MessagePipe {
  readonly peer: string;
  readonly capabilities: MessagePipeCapabilities = { largestMessageBytes: LIMITS.chunkBytes };
  readonly closed: Promise<Error | undefined>;
  readonly #socket: Socket;
  readonly #memory = new MessageMemory();
  #subscriber: Subscriber<Uint8Array> | undefined;
  #waiting: Waiting[] = [];
  #isCorked = false;
  #isPaused = false;
  /** Nothing can be sent any more. */
  #isClosed = false;
  /** Nothing comes any more. */
  #isOver = false;
  /** Either side said that it closes. */
  #isMeant = false;
  #failure: Error | undefined;

  /** @param socket - a connected one that nobody has read of; belongs to the pipe from here on. */
  constructor(socket: Socket, peer: string) {
    this.#socket = socket;
    this.peer = peer;
    socket.on('error', (error) => (this.#failure ??= error));
    socket.on('end', () => this.#stopSending());
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#stopSending();
        this.#isOver = true;
        if (!this.#isPaused) this.#subscriber?.complete();
        const cause = this.#failure ?? new Error(`${peer} ended without a goodbye`);
        resolve(this.#isMeant ? undefined : cause);
      });
    });
  }

  readonly messages$: Observable<Uint8Array> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    const splitter = new MessageSplitter({
      message: (bytes) => subscriber.next(bytes),
      goodbye: () => {
        this.#isMeant = true;
      },
      memory: (byteLength) => this.#memory.take(byteLength),
    });
    if (this.#isOver) return subscriber.complete();
    this.#socket.on('data', (chunk: Buffer) => {
      const isNeeded = splitter.push(chunk);
      if (!isNeeded && chunk.byteLength >= FREED_BYTES) free(chunk);
    });
    // A listener alone does not start a socket that was accepted in a pause.
    if (!this.#isPaused) this.#socket.resume();
  });

  recycle(message: Uint8Array): void {
    this.#memory.giveBack(message);
  }

  send(message: Uint8Array, released?: () => void): boolean {
    if (this.#isClosed) throw this.#closedError();
    this.#cork();
    this.#socket.write(lengthOf(message.byteLength));
    this.#socket.write(message, (error) => {
      released?.();
      this.#onWritten(error);
    });
    return this.#socket.writableLength < FULL_BYTES;
  }

  drained(): Promise<void> {
    if (this.#isClosed) return Promise.reject(this.#closedError());
    if (this.#socket.writableLength <= ROOM_BYTES) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }));
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    if (!this.#isPaused) return;
    this.#isPaused = false;
    if (this.#isOver) this.#subscriber?.complete();
    else this.#socket.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isMeant = true;
    this.#socket.end(lengthOf(GOODBYE));
    this.#stopSending();
  }

  /** Lets all writes of this turn go out at its end. */
  #cork(): void {
    if (this.#isCorked) return;
    this.#isCorked = true;
    this.#socket.cork();
    process.nextTick(() => {
      this.#isCorked = false;
      this.#socket.uncork();
    });
  }

  readonly #onWritten = (error?: Error | null): void => {
    // What was thrown away makes no room: those who wait hear of the close.
    if (error) return;
    if (this.#waiting.length === 0 || this.#socket.writableLength > ROOM_BYTES) return;
    for (const { resolve } of this.#takeWaiting()) resolve();
  };

  #stopSending(): void {
    this.#isClosed = true;
    for (const { reject } of this.#takeWaiting()) reject(this.#closedError());
  }

  #takeWaiting(): Waiting[] {
    const waiting = this.#waiting;
    this.#waiting = [];
    return waiting;
  }

  #closedError(): RoutineEngineError {
    const options = this.#failure && { cause: this.#failure };
    return new RoutineEngineError('TRANSPORT_CLOSED', `The pipe to ${this.peer} is closed`, options);
  }
}

function lengthOf(bytes: number): Uint8Array {
  const length = Buffer.allocUnsafe(LENGTH_BYTES);
  length.writeUInt32LE(bytes);
  return length;
}
