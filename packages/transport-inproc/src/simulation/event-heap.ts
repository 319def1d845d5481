import type { SimulatedProcess } from './simulated-process.js';

/** Something that happens at a virtual time. */
export interface SimulatedEvent {
  /** Milliseconds of virtual time. */
  at: number;
  /** Of two at one time the earlier scheduled goes first. */
  order: number;
  readonly process: SimulatedProcess;
  /** Absent: it was cancelled. */
  run: (() => void) | undefined;
}

/** Events, the next one first: a binary heap. */
export class EventHeap {
  readonly #events: SimulatedEvent[] = [];

  get size(): number {
    return this.#events.length;
  }

  get next(): SimulatedEvent | undefined {
    return this.#events[0];
  }

  add(event: SimulatedEvent): void {
    const events = this.#events;
    let at = events.length;
    events.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = events[parent] as SimulatedEvent;
      if (isBefore(above, event)) break;
      events[at] = above;
      at = parent;
    }
    events[at] = event;
  }

  take(): SimulatedEvent | undefined {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first && last && first !== last) this.#sink(last);
    return first;
  }

  /** Puts an event in the place of the first, and down to where it belongs. */
  #sink(event: SimulatedEvent): void {
    const events = this.#events;
    const half = events.length >> 1;
    let at = 0;
    while (at < half) {
      let child = 2 * at + 1;
      const right = events[child + 1];
      if (right && isBefore(right, events[child] as SimulatedEvent)) child += 1;
      const below = events[child] as SimulatedEvent;
      if (isBefore(event, below)) break;
      events[at] = below;
      at = child;
    }
    events[at] = event;
  }
}

function isBefore(one: SimulatedEvent, two: SimulatedEvent): boolean {
  return one.at < two.at || (one.at === two.at && one.order < two.order);
}
