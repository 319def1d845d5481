import { LIMITS } from '../model/limits.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { NodeSession } from './node-session.js';

/** How late a pulse may be. @public */
export interface HeartbeatLimits {
  /** Milliseconds between two questions. Default {@link LIMITS}.heartbeatMs. */
  readonly heartbeatMs?: number;
  /** Milliseconds without a pulse until UNRESPONSIVE. Default {@link LIMITS}.suspectMs. */
  readonly suspectMs?: number;
  /**
   * Milliseconds without a pulse until a worker is lost, and without a connection until a client is gone. Default
   * {@link LIMITS}.leaseMs.
   */
  readonly leaseMs?: number;
  /** Milliseconds without a pulse until a client is gone that is connected. Default {@link LIMITS}.clientLeaseMs. */
  readonly clientLeaseMs?: number;
}

/** What a late pulse means. Pure. */
export function verdict(
  ageMs: number,
  limits: { readonly suspectMs: number; readonly leaseMs: number },
): 'alive' | 'suspect' | 'lost' {
  if (ageMs >= limits.leaseMs) return 'lost';
  return ageMs >= limits.suspectMs ? 'suspect' : 'alive';
}

interface HeartbeatsParts {
  readonly clock: Clock;
  readonly limits: Required<HeartbeatLimits>;
  readonly nodes: () => Iterable<NodeSession>;
  readonly onSuspect: (node: NodeSession) => void;
  readonly onLost: (node: NodeSession) => void;
}

/** Nodes are asked in this many groups, one after the other: their answers are not to come all at once. */
const MOST_GROUPS = 20;
/** Shortest time between two groups, in milliseconds. */
const SHORTEST_MS = 100;

/** The limits, with their defaults. */
export function heartbeatLimits(limits: HeartbeatLimits = {}): Required<HeartbeatLimits> {
  const { heartbeatMs, suspectMs, leaseMs, clientLeaseMs } = LIMITS;
  return { heartbeatMs, suspectMs, leaseMs, clientLeaseMs, ...limits };
}

/**
 * Asks every node for its pulse once in a beat, and judges those that are late: also those that are away, since they may
 * come back.
 */
export class Heartbeats {
  readonly #parts: HeartbeatsParts;
  readonly #groups: number;
  #group = 0;
  #timer: Timer | undefined;
  /** When the next beat is due. */
  #dueAt = 0;

  constructor(parts: HeartbeatsParts) {
    this.#parts = parts;
    this.#groups = Math.max(1, Math.min(MOST_GROUPS, Math.floor(parts.limits.heartbeatMs / SHORTEST_MS)));
  }

  start(): void {
    const { clock, limits } = this.#parts;
    const stepMs = limits.heartbeatMs / this.#groups;
    this.#dueAt = clock.monotonic() + stepMs;
    this.#timer = clock.after(stepMs, () => {
      this.#beat();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #beat(): void {
    const { clock, limits, nodes, onSuspect, onLost } = this.#parts;
    const now = clock.monotonic();
    // While this process was busy or asleep no pulse could be heard: that time is not the nodes'.
    const deafMs = now - this.#dueAt;
    this.#group = (this.#group + 1) % this.#groups;
    for (const node of nodes()) {
      if (deafMs > limits.heartbeatMs) node.lastPulseAt += deafMs;
      const { suspectMs, clientLeaseMs } = limits;
      // Only one that is connected may be too busy to say anything.
      const isBusy = node.role === 'client' && !node.isAway;
      const leaseMs = isBusy ? clientLeaseMs : limits.leaseMs;
      const judged = verdict(now - node.lastPulseAt, { suspectMs, leaseMs });
      if (judged === 'lost') {
        onLost(node);
        continue;
      }
      if (judged === 'suspect') onSuspect(node);
      const isTurn = node.number % this.#groups === this.#group;
      if (isTurn && !node.isAway) node.post({ type: 'v1.heartbeat.check_pulse' });
    }
  }
}
