import { toPlainError } from '../errors/error-conversion.js';
import type { ErrorCode } from '../errors/codes.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import type { Outcome } from '../model/outcome.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { Clock } from '../ports/clock.js';
import type { Executor, RunHost } from '../ports/executor.js';
import { BackgroundThread, type ThreadEnd, type ThreadOptions } from './background-thread.js';
import { toCallMessage } from './conversions.js';
import { HeldRun } from './held-run.js';
import type { Parcel, ToHost } from './messages.js';

export interface ThreadExecutorParts {
  readonly options: ThreadOptions;
  /** How many threads; each computes one run at a time. */
  readonly threads: number;
  readonly project: string;
  readonly clock: Clock;
}

/** A thread and the runs it holds. */
interface Seat {
  thread: BackgroundThread;
  readonly held: Map<string, HeldRun>;
}

/** Runs bodies on background threads. A thread that ends is replaced; only the runs that brought it down fail. */
export class ThreadExecutor implements Executor {
  readonly #parts: ThreadExecutorParts;
  readonly #seats: Seat[] = [];
  #closed = false;

  constructor(parts: ThreadExecutorParts) {
    this.#parts = parts;
  }

  /** Starts the threads. @returns what they offer. @throws `ROUTINE_MODULE_FAILED`; then no thread is left. */
  async start(): Promise<readonly OfferedRoutine[]> {
    for (let index = 0; index < this.#parts.threads; index += 1) this.#seats.push(this.#newSeat());
    try {
      const [routines = []] = await Promise.all(this.#seats.map((seat) => seat.thread.ready));
      return routines;
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const seat = this.#freest();
    if (!seat || this.#closed) {
      return Promise.resolve(
        failed('LIFECYCLE_CLOSED', `${call.routineId} was to run on threads that are closed`),
      );
    }
    return new Promise((resolve) => {
      const held = new HeldRun(call, host, seat.thread, (outcome) => {
        stopListening();
        grace?.cancel();
        seat.held.delete(call.runId);
        resolve(outcome);
      });
      let grace: ReturnType<Clock['after']> | undefined;
      const { clock } = this.#parts;
      const stopListening = host.cancel.onCancel((reason) => {
        seat.thread.send({ kind: 'cancel', runId: call.runId, error: toPlainError(reason) });
        grace = clock.after(LIMITS.cancelGraceMs, () => void seat.thread.terminate());
      });
      seat.held.set(call.runId, held);
      seat.thread.send({ kind: 'run', call: toCallMessage(call) }, call.arguments);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#seats.map((seat) => seat.thread.terminate()));
  }

  #newSeat(): Seat {
    const held = new Map<string, HeldRun>();
    const seat: Seat = { held, thread: this.#newThread(() => seat) };
    return seat;
  }

  #newThread(seat: () => Seat): BackgroundThread {
    const { options, project, clock } = this.#parts;
    return new BackgroundThread({
      options,
      project,
      clock,
      onParcel: (parcel) => receive(seat(), parcel),
      onEnd: (end) => this.#replace(seat(), end),
    });
  }

  /** Fewest computing runs first, so that a run that hangs counts little. */
  #freest(): Seat | undefined {
    const load = (seat: Seat): number => {
      let computing = 0;
      for (const run of seat.held.values()) if (run.state !== 'hanging') computing += 1;
      return computing;
    };
    if (this.#seats.length === 1) return this.#seats[0];
    return this.#seats.toSorted((a, b) => load(a) - load(b))[0];
  }

  #replace(seat: Seat, end: ThreadEnd): void {
    const lost = [...seat.held.values()];
    // A thread that could not even load its modules would fail again: its seat is given up.
    if (end.cause === 'never-ready') this.#seats.splice(this.#seats.indexOf(seat), 1);
    else if (!this.#closed) seat.thread = this.#newThread(() => seat);
    const guilty = suspects(lost);
    for (const run of lost) run.settle(outcomeOfLost(run, end, guilty.has(run)));
  }
}

function receive(seat: Seat, { message, value }: Parcel<ToHost>): void {
  if (!('runId' in message) && message.kind !== 'request') return;
  // A sub-run is its parent's business; everything else names the run itself.
  const runId = message.kind === 'request' ? message.call.parentRunId : message.runId;
  if (message.kind === 'withdraw') {
    for (const run of seat.held.values()) if (run.withdraw(message.runId, message.error)) return;
    return;
  }
  if (runId !== undefined) seat.held.get(runId)?.receive(message, value);
}

/** Who may have brought a thread down: what computed; or what was next, if its start was not told yet. */
function suspects(lost: readonly HeldRun[]): ReadonlySet<HeldRun> {
  const computing = lost.filter((run) => run.state === 'computing');
  if (computing.length > 0) return new Set(computing);
  const next = lost.find((run) => run.state === 'waiting');
  return new Set(next ? [next] : lost);
}

function outcomeOfLost(run: HeldRun, end: ThreadEnd, guilty: boolean): Outcome {
  const reason = run.host.cancel.reason;
  if (reason) return { status: 'CANCELLED', error: toPlainError(reason) };
  const { routineId } = run.call;
  if (end.cause === 'never-ready') return { status: 'FAILED', error: toPlainError(end.error) };
  if (end.cause === 'closed' || !guilty) {
    return failed('WORKER_LOST', `The background thread that held ${routineId} ended because of another run`);
  }
  return end.cause === 'out-of-memory'
    ? failed(
        'THREAD_OUT_OF_MEMORY',
        `${routineId} brought its background thread to its memory limit`,
        end.error,
      )
    : failed(
        'THREAD_EXITED',
        `The background thread ended while ${routineId} was running: ${end.error.message}`,
        end.error,
      );
}

function failed(code: ErrorCode, message: string, cause?: Error): Outcome {
  return { status: 'FAILED', error: toPlainError(new RoutineEngineError(code, message, { cause })) };
}
