import { Cancellation } from '../context/cancellation.js';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Executor, RunHost } from '../ports/executor.js';
import { withCancel } from './with-cancel.js';

/** Ends attempts that take longer than their calls allow. */
export class TimedExecutor implements Executor {
  readonly #executor: Executor;
  readonly #clock: Clock;

  constructor(executor: Executor, clock: Clock) {
    this.#executor = executor;
    this.#clock = clock;
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const { attemptTimeoutMs } = call;
    if (attemptTimeoutMs === undefined) return this.#executor.execute(call, host);
    return this.#executeTimed(call, host, attemptTimeoutMs);
  }

  close(): Promise<void> {
    return this.#executor.close();
  }

  async #executeTimed(call: EncodedCall, host: RunHost, attemptTimeoutMs: number): Promise<Outcome> {
    const cancellation = new Cancellation();
    const stopListening = host.cancel.onCancel((reason) => cancellation.cancel(reason));
    let timer: Timer | undefined;
    const timed: RunHost = {
      ...withCancel(host, cancellation),
      starting: () => {
        timer = this.#clock.after(attemptTimeoutMs, () => cancellation.cancel(lateError(call)));
        host.starting();
      },
    };
    const outcome = await this.#executor.execute(call, timed);
    timer?.cancel();
    stopListening();
    const { reason } = cancellation;
    // It was ended as if it was cancelled, but nobody wanted it to.
    const isLate = outcome.status === 'CANCELLED' && reason !== undefined && !host.cancel.reason;
    return isLate ? { status: 'FAILED', error: toPlainError(reason) } : outcome;
  }
}

function lateError({ routineId, attempt, attemptTimeoutMs }: EncodedCall): RoutineEngineError {
  return new RoutineEngineError(
    'ATTEMPT_TIMEOUT',
    `Attempt ${attempt} of ${routineId} took longer than its attemptTimeoutMs of ${attemptTimeoutMs}`,
  );
}
