import { AsyncResource } from 'node:async_hooks';
import type { Clock, Timer } from '@routine-engine/core/adapter';
import type { SimulatedEvent } from './event-heap.js';

/** What a process asks of the clock that it belongs to. */
export interface ProcessTime {
  elapsed(): number;
  wallTime(): number;
  schedule(process: SimulatedProcess, delayMs: number, run: () => void): SimulatedEvent;
  /** Has an event that was held back happen now, after what is due now already. */
  reschedule(event: SimulatedEvent): void;
  note(text: string): void;
}

/**
 * One process of a simulation: the {@link Clock} of the nodes in it. It may freeze, as one that is swapped out or stopped by
 * a debugger does, and it may die. Made by {@link SimulatedClock.process}.
 * @public
 */
export class SimulatedProcess implements Clock {
  readonly name: string;
  readonly #time: ProcessTime;
  readonly #bornAt: number;
  readonly #deathListeners: (() => void)[] = [];
  readonly #timers = new Set<SimulatedEvent>();
  /** What happened to it while it was frozen, in order. */
  #held: SimulatedEvent[] = [];
  #state: 'running' | 'frozen' | 'dead' = 'running';
  #wallOffset = 0;

  /** @internal */
  constructor(name: string, time: ProcessTime) {
    this.name = name;
    this.#time = time;
    this.#bornAt = time.elapsed();
  }

  get state(): 'running' | 'frozen' | 'dead' {
    return this.#state;
  }

  /** How many timers it has that have not fired, turns included. */
  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return Math.floor(this.#time.wallTime() + this.#wallOffset);
  }

  /** Milliseconds since the process began. */
  monotonic(): number {
    return this.#time.elapsed() - this.#bornAt;
  }

  after(milliseconds: number, callback: () => void): Timer {
    // As real timers do, it remembers the run in whose body it was set.
    const context = new AsyncResource('SimulatedTimer', { requireManualDestroy: true });
    const event = this.schedule(milliseconds, () => {
      this.#timers.delete(event);
      context.runInAsyncScope(callback);
    });
    this.#timers.add(event);
    return {
      cancel: () => {
        event.run = undefined;
        this.#timers.delete(event);
      },
    };
  }

  nextTurn(callback: () => void): void {
    this.after(0, callback);
  }

  /** Sets its wall clock forward, or back with a negative number; monotonic time and timers go on as they were. */
  jump(milliseconds: number): void {
    this.#wallOffset += milliseconds;
    this.#time.note(`${this.name} jumps ${milliseconds}`);
  }

  /** Stops it: what happens to it from now on happens when it thaws, all at once. Does nothing to a dead one. */
  freeze(): void {
    if (this.#state !== 'running') return;
    this.#state = 'frozen';
    this.#time.note(`${this.name} freezes`);
  }

  /** Lets it go on. Does nothing to one that is not frozen. */
  thaw(): void {
    if (this.#state !== 'frozen') return;
    this.#state = 'running';
    this.#time.note(`${this.name} thaws`);
    const held = this.#held;
    this.#held = [];
    for (const event of held) this.#time.reschedule(event);
  }

  /** Ends it for good, in the middle of whatever it does: nothing happens in it any more. A second call does nothing. */
  kill(): void {
    if (this.#state === 'dead') return;
    this.#state = 'dead';
    this.#time.note(`${this.name} dies`);
    this.#held = [];
    this.#timers.clear();
    for (const listener of this.#deathListeners.splice(0)) listener();
  }

  /** Hears of its death, as the system does that it ran on. */
  onDeath(listener: () => void): void {
    this.#deathListeners.push(listener);
  }

  /** @internal Has something happen in it later. */
  schedule(delayMs: number, run: () => void): SimulatedEvent {
    return this.#time.schedule(this, delayMs, run);
  }

  /** @internal An event of it is due. */
  happen(event: SimulatedEvent): void {
    if (this.#state === 'dead') return;
    if (this.#state === 'frozen') this.#held.push(event);
    else event.run?.();
  }
}
