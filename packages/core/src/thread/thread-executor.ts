import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { Clock } from '../ports/clock.js';
import type { Executor, RunHost } from '../ports/executor.js';
import type { ThreadOptions } from './background-thread.js';
import { Seat } from './seat.js';

export interface ThreadExecutorParts {
  readonly options: ThreadOptions;
  /** How many threads; each computes one run at a time. */
  readonly threads: number;
  readonly project: string;
  readonly clock: Clock;
  /** No thread is left, since none could be started in place of the last. */
  readonly onExhausted: (error: Error) => void;
}

/** Runs bodies on background threads. When a thread dies, the run that computed fails; the others may run again. */
export class ThreadExecutor implements Executor {
  readonly #parts: ThreadExecutorParts;
  readonly #seats: Seat[] = [];
  #started = false;

  constructor(parts: ThreadExecutorParts) {
    this.#parts = parts;
  }

  /** Starts the threads. @returns what they offer. @throws `ROUTINE_MODULE_FAILED`; then no thread is left. */
  async start(): Promise<readonly OfferedRoutine[]> {
    for (let index = 0; index < this.#parts.threads; index += 1) this.#seats.push(this.#newSeat());
    try {
      const [routines = []] = await Promise.all(this.#seats.map((seat) => seat.ready));
      this.#started = true;
      return routines;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const seat = this.#freest();
    if (seat) return seat.execute(call, host);
    const error = new RoutineEngineError(
      'WORKER_LOST',
      `There is no background thread for ${call.routineId}`,
    );
    return Promise.resolve({ status: 'FAILED', error: toPlainError(error), again: 'lost' });
  }

  async close(): Promise<void> {
    await Promise.all(this.#seats.map((seat) => seat.close()));
  }

  #newSeat(): Seat {
    const { options, project, clock } = this.#parts;
    const seat: Seat = new Seat({ options, project, clock, onGivenUp: (error) => this.#giveUp(seat, error) });
    return seat;
  }

  #giveUp(seat: Seat, error: Error): void {
    if (!this.#started) return;
    this.#seats.splice(this.#seats.indexOf(seat), 1);
    if (this.#seats.length === 0) this.#parts.onExhausted(error);
  }

  /** The one with the fewest runs that compute, so that a run that hangs counts little. */
  #freest(): Seat | undefined {
    if (this.#seats.length < 2) return this.#seats[0];
    return this.#seats.toSorted((a, b) => a.load - b.load)[0];
  }
}
