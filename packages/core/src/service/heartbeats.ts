import { LIMITS } from '../model/limits.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { WorkerEntry } from './worker-entry.js';

/** How late a pulse may be. @public */
export interface HeartbeatLimits {
  /** Milliseconds between two questions. Default {@link LIMITS}.heartbeatMs. */
  readonly heartbeatMs?: number;
  /** Milliseconds without a pulse until UNRESPONSIVE. Default {@link LIMITS}.suspectMs. */
  readonly suspectMs?: number;
  /** Milliseconds without a pulse until the worker is lost. Default {@link LIMITS}.leaseMs. */
  readonly leaseMs?: number;
}

/** What a late pulse means. Pure. */
export function verdict(ageMs: number, limits: Required<HeartbeatLimits>): 'alive' | 'suspect' | 'lost' {
  if (ageMs >= limits.leaseMs) return 'lost';
  return ageMs >= limits.suspectMs ? 'suspect' : 'alive';
}

interface HeartbeatsParts {
  readonly clock: Clock;
  readonly limits: HeartbeatLimits;
  readonly workers: () => Iterable<WorkerEntry>;
  readonly onSuspect: (worker: WorkerEntry) => void;
  readonly onLost: (worker: WorkerEntry) => void;
}

/** Workers are asked in this many groups, one after the other: their answers are not to come all at once. */
const MOST_GROUPS = 20;
/** Shortest time between two groups, in milliseconds. */
const SHORTEST_MS = 100;

/** Asks every worker for its pulse once in a beat, and judges those that are late. */
export class Heartbeats {
  readonly #parts: HeartbeatsParts;
  readonly #limits: Required<HeartbeatLimits>;
  readonly #groups: number;
  #group = 0;
  #timer: Timer | undefined;
  /** When the next beat is due. */
  #dueAt = 0;

  constructor(parts: HeartbeatsParts) {
    const { heartbeatMs, suspectMs, leaseMs } = LIMITS;
    this.#parts = parts;
    this.#limits = { heartbeatMs, suspectMs, leaseMs, ...parts.limits };
    this.#groups = Math.max(1, Math.min(MOST_GROUPS, Math.floor(this.#limits.heartbeatMs / SHORTEST_MS)));
  }

  start(): void {
    const stepMs = this.#limits.heartbeatMs / this.#groups;
    this.#dueAt = this.#parts.clock.monotonic() + stepMs;
    this.#timer = this.#parts.clock.after(stepMs, () => {
      this.#beat();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #beat(): void {
    const now = this.#parts.clock.monotonic();
    // While this process was busy or asleep no pulse could be heard: that time is not the workers'.
    const deafMs = now - this.#dueAt;
    this.#group = (this.#group + 1) % this.#groups;
    for (const worker of this.#parts.workers()) {
      if (deafMs > this.#limits.heartbeatMs) worker.lastPulseAt += deafMs;
      const judged = verdict(now - worker.lastPulseAt, this.#limits);
      if (judged === 'lost') {
        this.#parts.onLost(worker);
        continue;
      }
      if (judged === 'suspect') this.#parts.onSuspect(worker);
      if (worker.number % this.#groups === this.#group)
        worker.node.post({ type: 'v1.heartbeat.check_pulse' });
    }
  }
}
