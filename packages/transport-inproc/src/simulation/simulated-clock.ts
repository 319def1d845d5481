import type { Clock, Timer } from '@routine-engine/core/adapter';
import { EventHeap, type SimulatedEvent } from './event-heap.js';
import { SimulatedProcess, type ProcessTime } from './simulated-process.js';

/** How a {@link SimulatedClock} is set up. @public */
export interface SimulatedClockOptions {
  /** Wall time at the start, in milliseconds since 1970 (UTC). Default 1,700,000,000,000. */
  readonly startAt?: number;
  /** Hears each thing that happens, in order: the same lines in two runs mean that the same happened. */
  readonly trace?: (line: string) => void;
}

/** How long a {@link SimulatedClock} runs. @public */
export interface RunOptions {
  /** Most milliseconds of virtual time that pass. Default: no limit. */
  readonly forMs?: number;
  /** Looked at after each event; the run ends when it gives `true`. */
  readonly until?: () => boolean;
  /** Looked at before time passes: while it gives `true`, time stands still, and what the system does goes on. */
  readonly holds?: () => boolean;
  /** Most events that happen, so that what never ends is found. Default 10,000,000. */
  readonly mostEvents?: number;
}

const START_AT = 1_700_000_000_000;
const MOST_EVENTS = 10_000_000;

/**
 * Virtual time. It passes only while `run` or `advance` is awaited, from one event to the next, however far that is: a day
 * without events takes no time. Events happen in the order of their time, and of their scheduling; between two of them all
 * that promises have to do is done. Monotonic time and wall time are apart, and the latter may jump.
 *
 * It is itself the {@link Clock} of what belongs to no node. Nodes that may freeze, die or have a wrong wall clock each get
 * one of their own from {@link SimulatedClock.process}.
 * @public
 */
export class SimulatedClock implements Clock {
  readonly #heap = new EventHeap();
  readonly #startAt: number;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #world: SimulatedProcess;
  readonly #time: ProcessTime;
  #elapsed = 0;
  #scheduled = 0;
  #happened = 0;
  #wallOffset = 0;

  constructor(options: SimulatedClockOptions = {}) {
    const { startAt = START_AT, trace } = options;
    this.#startAt = startAt;
    this.#trace = trace;
    this.#time = {
      elapsed: () => this.#elapsed,
      wallTime: () => this.#startAt + this.#wallOffset + this.#elapsed,
      schedule: (process, delayMs, run) => this.#schedule(process, delayMs, run),
      reschedule: (event) => this.#reschedule(event),
      note: (text) => this.note(text),
    };
    this.#world = new SimulatedProcess('world', this.#time);
  }

  /** A process of its own. */
  process(name: string): SimulatedProcess {
    return new SimulatedProcess(name, this.#time);
  }

  now(): number {
    return this.#world.now();
  }

  /** Milliseconds since the clock was made. */
  monotonic(): number {
    return this.#elapsed;
  }

  after(milliseconds: number, callback: () => void): Timer {
    return this.#world.after(milliseconds, callback);
  }

  nextTurn(callback: () => void): void {
    this.#world.nextTurn(callback);
  }

  /** Sets the wall clocks of all processes forward, or back with a negative number. */
  jump(milliseconds: number): void {
    this.#wallOffset += milliseconds;
    this.note(`wall clocks jump ${milliseconds}`);
  }

  /** Events that have happened. */
  get happened(): number {
    return this.#happened;
  }

  /** Adds a line of its own to the trace. */
  note(text: string): void {
    this.#trace?.(`${this.#elapsed} ${text}`);
  }

  /** Lets that much time pass. */
  async advance(milliseconds: number): Promise<void> {
    await this.run({ forMs: milliseconds });
  }

  /**
   * Lets time pass until nothing is left to happen, or as the options say.
   * @returns whether `until` gave `true`; without it, whether nothing is left to happen.
   * @throws an Error when `mostEvents` is reached; what an event throws.
   */
  run(options: RunOptions = {}): Promise<boolean> {
    const { forMs = Number.POSITIVE_INFINITY, until, holds, mostEvents = MOST_EVENTS } = options;
    const end = this.#elapsed + forMs;
    let rest = mostEvents;
    return new Promise((resolve, reject) => {
      const step = (): void => {
        try {
          if (until?.()) return resolve(true);
          if (!this.#isDueNow && holds?.()) return void setImmediate(step);
          const event = this.#due(end);
          if (event) {
            if (rest === 0) throw new Error(`More than ${mostEvents} events happened; does this ever end?`);
            rest -= 1;
            this.#happen(event);
            return void setImmediate(step);
          }
          if (Number.isFinite(end)) this.#elapsed = Math.max(this.#elapsed, end);
          resolve(until === undefined && this.#heap.size === 0);
        } catch (error) {
          reject(error as Error);
        }
      };
      // What was set off before is done first.
      setImmediate(step);
    });
  }

  get #isDueNow(): boolean {
    const { next } = this.#heap;
    return next !== undefined && next.at <= this.#elapsed;
  }

  /** The next event up to a time. */
  #due(end: number): SimulatedEvent | undefined {
    for (let next = this.#heap.next; next; next = this.#heap.next) {
      const isOver = next.run === undefined || next.process.state === 'dead';
      if (!isOver) return next.at <= end ? this.#heap.take() : undefined;
      this.#heap.take();
    }
    return undefined;
  }

  #happen(event: SimulatedEvent): void {
    this.#elapsed = Math.max(this.#elapsed, event.at);
    this.#happened += 1;
    if (this.#trace) this.note(`${event.process.name} ${event.order}`);
    event.process.happen(event);
  }

  #schedule(process: SimulatedProcess, delayMs: number, run: () => void): SimulatedEvent {
    this.#scheduled += 1;
    const at = this.#elapsed + (delayMs > 0 ? delayMs : 0);
    const event: SimulatedEvent = { at, order: this.#scheduled, process, run };
    this.#heap.add(event);
    return event;
  }

  #reschedule(event: SimulatedEvent): void {
    this.#scheduled += 1;
    event.at = this.#elapsed;
    event.order = this.#scheduled;
    this.#heap.add(event);
  }
}
