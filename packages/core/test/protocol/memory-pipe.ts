import { Observable, type Subscriber } from 'rxjs';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.js';
import type { Clock, Timer } from '../../src/ports/clock.js';
import type { MessagePipe } from '../../src/ports/message-pipe.js';

/** Chance that is the same for the same seed: numbers from 0 to 1, 1 excluded. */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Turns of an event loop that a seed puts in order, and time that passes only when a test says so. */
export class Turns implements Clock {
  readonly #random: () => number;
  #tasks: (() => void)[] = [];
  #timers: { readonly at: number; readonly callback: () => void }[] = [];
  #now = 0;

  constructor(seed = 1) {
    this.#random = seeded(seed);
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  nextTurn(callback: () => void): void {
    this.#tasks.push(callback);
  }

  after(milliseconds: number, callback: () => void): Timer {
    const timer = { at: this.#now + milliseconds, callback };
    this.#timers.push(timer);
    return { cancel: () => void (this.#timers = this.#timers.filter((other) => other !== timer)) };
  }

  /** Timers that have not fired. */
  get pendingTimers(): number {
    return this.#timers.length;
  }

  /** Lets time pass, and everything happen that is due by then. */
  async advance(milliseconds: number): Promise<void> {
    this.#now += milliseconds;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { callback } of due) callback();
    await this.settle();
  }

  /** Takes turns until nothing is left to do. */
  async settle(): Promise<void> {
    await microtasks();
    while (this.#takeTurn()) await microtasks();
  }

  /** Takes turns until a promise settles. @throws when it can't: nothing is left to do. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => void (isSettled = true);
    promise.then(settled, settled);
    await microtasks();
    while (!isSettled) {
      const took = this.#takeTurn();
      await microtasks();
      if (!took && !isSettled) throw new Error('Nothing is left to do, and the promise has not settled');
    }
    return promise;
  }

  #takeTurn(): boolean {
    const index = Math.floor(this.#random() * this.#tasks.length);
    const [task] = this.#tasks.splice(index, 1);
    task?.();
    return task !== undefined;
  }
}

/** Lets everything happen that needs no turn. */
function microtasks(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve));
}

export interface MemoryPipeOptions {
  /** Bytes on their way before `send` says that the pipe is full. */
  readonly windowBytes?: number;
  readonly largestMessageBytes?: number;
}

/** One end of a pipe in memory. Each message takes a turn of its own. */
export class MemoryPipe implements MessagePipe {
  readonly peer: string;
  readonly capabilities: { readonly largestMessageBytes: number };
  readonly closed: Promise<Error | undefined>;
  readonly #turns: Turns;
  readonly #windowBytes: number;
  #other: MemoryPipe | undefined;
  #resolveClosed: (error: Error | undefined) => void = () => undefined;
  #isClosed = false;
  /** Messages on their way to this end. */
  #incoming: Uint8Array[] = [];
  #incomingBytes = 0;
  #isScheduled = false;
  #isPaused = false;
  #subscriber: Subscriber<Uint8Array> | undefined;
  #waiting: { resolve: () => void; reject: (error: Error) => void }[] = [];
  /** Most bytes that were ever on their way to this end. */
  mostBytes = 0;
  /** Messages sent from this end. */
  sent: Uint8Array[] = [];
  /** Why this end was closed. */
  reason: string | undefined;

  constructor(peer: string, turns: Turns, options: MemoryPipeOptions) {
    this.peer = peer;
    this.#turns = turns;
    this.#windowBytes = options.windowBytes ?? 1024 * 1024;
    this.capabilities = { largestMessageBytes: options.largestMessageBytes ?? Number.POSITIVE_INFINITY };
    this.closed = new Promise((resolve) => (this.#resolveClosed = resolve));
  }

  /** Two ends of one pipe. */
  static pair(turns: Turns, options: MemoryPipeOptions = {}): { here: MemoryPipe; there: MemoryPipe } {
    const here = new MemoryPipe('there', turns, options);
    const there = new MemoryPipe('here', turns, options);
    here.#other = there;
    there.#other = here;
    return { here, there };
  }

  readonly messages$: Observable<Uint8Array> = new Observable((subscriber) => {
    this.#subscriber = subscriber;
    this.#schedule();
  });

  /** Whether the other end asked for no more. */
  get isPaused(): boolean {
    return this.#isPaused;
  }

  send(message: Uint8Array): boolean {
    if (this.#isClosed) throw closedError();
    if (message.byteLength > this.capabilities.largestMessageBytes)
      throw new Error('The message is too large');
    this.sent.push(message);
    const other = this.#other as MemoryPipe;
    other.#incoming.push(message);
    other.#incomingBytes += message.byteLength;
    other.mostBytes = Math.max(other.mostBytes, other.#incomingBytes);
    other.#schedule();
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
    this.#schedule();
  }

  close(reason?: string): void {
    this.reason ??= reason;
    this.#end(undefined);
    if (this.#other) this.#other.#end(undefined);
  }

  /** Breaks the link: what is on its way is lost. */
  break(error: Error): void {
    for (const end of [this, this.#other as MemoryPipe]) {
      end.#incoming = [];
      end.#end(error);
    }
  }

  get #isFull(): boolean {
    return (this.#other as MemoryPipe).#incomingBytes >= this.#windowBytes;
  }

  #end(error: Error | undefined): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    for (const { reject } of this.#waiting.splice(0)) reject(closedError());
    this.#resolveClosed(error);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled || !this.#subscriber || this.#isPaused) return;
    if (this.#incoming.length === 0 && !this.#isClosed) return;
    this.#isScheduled = true;
    this.#turns.nextTurn(() => this.#deliver());
  }

  #deliver(): void {
    this.#isScheduled = false;
    if (this.#isPaused) return;
    const message = this.#incoming.shift();
    if (!message) return this.#subscriber?.complete();
    this.#incomingBytes -= message.byteLength;
    this.#subscriber?.next(message);
    const other = this.#other as MemoryPipe;
    if (!other.#isFull) for (const { resolve } of other.#waiting.splice(0)) resolve();
    this.#schedule();
  }
}

function closedError(): RoutineEngineError {
  return new RoutineEngineError('TRANSPORT_CLOSED', 'The pipe is closed');
}
