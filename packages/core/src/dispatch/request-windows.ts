import { Fifo } from '../protocol/fifo.js';

/** What may have to wait for its window. */
export interface Windowed {
  /** Which window it belongs to. */
  readonly window: string;
  /** `over` also when it was never sent. */
  windowState: 'kept' | 'sent' | 'over';
}

/** Requests of one window: how many are under way, and those that are kept until others are over. */
interface Window<Request> {
  underWay: number;
  kept: Fifo<Request> | undefined;
  /** How many of `kept` are still wanted. */
  wanted: number;
}

/**
 * Lets so many requests of each window be under way at once and keeps the others back, in order: the queue of the service is
 * bounded, and this is how the pressure gets to those who cause it. A window has requests of one parent run alone, so
 * that no run ever waits for a place that only runs which wait for it could give back.
 */
export class RequestWindows<Request extends Windowed> {
  readonly #most: number;
  readonly #windows = new Map<string, Window<Request>>();
  readonly #start: (request: Request) => void;
  /** To be started: in a loop, since what can't be sent is over at once and lets in the next. */
  readonly #due: Request[] = [];
  #isStarting = false;

  /** @param start - sends a request; called within `enter`, or later. */
  constructor(most: number, start: (request: Request) => void) {
    this.#most = most;
    this.#start = start;
  }

  /** Windows with anything in them. */
  get size(): number {
    return this.#windows.size;
  }

  enter(request: Request): void {
    let window = this.#windows.get(request.window);
    if (!window) {
      window = { underWay: 0, kept: undefined, wanted: 0 };
      this.#windows.set(request.window, window);
    }
    if (window.underWay < this.#most) {
      window.underWay += 1;
      request.windowState = 'sent';
      return this.#start(request);
    }
    request.windowState = 'kept';
    window.kept ??= new Fifo();
    window.kept.push(request);
    window.wanted += 1;
  }

  /** A request is over, or wanted no more. Called once for each. */
  leave(request: Request): void {
    const window = this.#windows.get(request.window);
    const was = request.windowState;
    request.windowState = 'over';
    if (!window) return;
    if (was === 'kept') {
      window.wanted -= 1;
      // Nothing that was given up is held on to.
      if (window.wanted === 0) window.kept = undefined;
      return;
    }
    const next = window.wanted > 0 ? nextOf(window) : undefined;
    if (next) return this.#startLater(next);
    window.underWay -= 1;
    if (window.underWay === 0) this.#windows.delete(request.window);
  }

  #startLater(request: Request): void {
    request.windowState = 'sent';
    this.#due.push(request);
    if (this.#isStarting) return;
    this.#isStarting = true;
    for (let due = this.#due.shift(); due; due = this.#due.shift()) this.#start(due);
    this.#isStarting = false;
  }
}

function nextOf<Request extends Windowed>(window: Window<Request>): Request | undefined {
  for (let next = window.kept?.shift(); next; next = window.kept?.shift()) {
    if (next.windowState !== 'kept') continue;
    window.wanted -= 1;
    return next;
  }
  return undefined;
}
