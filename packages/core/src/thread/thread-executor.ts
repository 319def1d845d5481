import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { Clock } from '../ports/clock.js';
import type { RunHost } from '../ports/executor.js';
import type { ExecutorHost, WorkerExecutor } from '../ports/worker-executor.js';
import type { ThreadOptions } from './background-thread.js';
import { Seat } from './seat.js';

/** What a {@link ThreadExecutor} is made of. @public */
export interface ThreadExecutorParts {
  readonly threads: ThreadOptions;
  readonly clock: Clock;
}

/**
 * Runs bodies on background threads, one for each slot of its worker. When a thread dies, the run that computed fails; the
 * others may run again.
 * @public
 */
export class ThreadExecutor implements WorkerExecutor {
  readonly #parts: ThreadExecutorParts;
  readonly #seats: Seat[] = [];
  #started = false;
  #serializers: readonly string[] = [];

  constructor(parts: ThreadExecutorParts) {
    this.#parts = parts;
  }

  get serializers(): readonly string[] {
    return this.#serializers;
  }

  /** Starts the threads. @returns what they offer. @throws `ROUTINE_MODULE_FAILED`; then no thread is left. */
  async start(
    host: Pick<ExecutorHost, 'project' | 'slots' | 'onExhausted'>,
  ): Promise<readonly OfferedRoutine[]> {
    for (let index = 0; index < host.slots; index += 1) this.#seats.push(this.#newSeat(host));
    try {
      const [offer] = await Promise.all(this.#seats.map((seat) => seat.ready));
      this.#started = true;
      this.#serializers = offer?.serializers ?? [];
      return offer?.routines ?? [];
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

  #newSeat({ project, onExhausted }: Pick<ExecutorHost, 'project' | 'onExhausted'>): Seat {
    const { threads: options, clock } = this.#parts;
    const onGivenUp = (error: Error): void => {
      if (!this.#started) return;
      this.#seats.splice(this.#seats.indexOf(seat), 1);
      if (this.#seats.length === 0) onExhausted(error);
    };
    const seat: Seat = new Seat({ options, project, clock, onGivenUp });
    return seat;
  }

  /** The one with the fewest runs that compute, so that a run that hangs counts little. */
  #freest(): Seat | undefined {
    if (this.#seats.length < 2) return this.#seats[0];
    return this.#seats.toSorted((a, b) => a.load - b.load)[0];
  }
}
