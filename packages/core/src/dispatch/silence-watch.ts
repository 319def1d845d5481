import type { Clock, Timer } from '../ports/clock.js';

export interface SilenceLimits {
  /** Milliseconds between two beats of the peer. */
  readonly heartbeatMs: number;
  /** Milliseconds of silence after which it is taken for gone. */
  readonly leaseMs: number;
}

/**
 * Notices that nothing is heard of a peer any more, though the connection seems open. It counts in beats of its own: while
 * this process is busy or asleep it does not beat, and that time is not the peer's.
 */
export class SilenceWatch {
  readonly #clock: Clock;
  readonly #limits: SilenceLimits;
  readonly #onSilent: () => void;
  #wasHeard = true;
  #silentMs = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, limits: SilenceLimits, onSilent: () => void) {
    this.#clock = clock;
    this.#limits = limits;
    this.#onSilent = onSilent;
    this.#wait();
  }

  /** Something came. */
  heard(): void {
    this.#wasHeard = true;
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.after(this.#limits.heartbeatMs, () => this.#beat());
  }

  #beat(): void {
    const { heartbeatMs, leaseMs } = this.#limits;
    this.#silentMs = this.#wasHeard ? 0 : this.#silentMs + heartbeatMs;
    this.#wasHeard = false;
    if (this.#silentMs >= leaseMs) this.#onSilent();
    else this.#wait();
  }
}
