import { toPlainError } from '../errors/error-conversion.js';
import type { ErrorCode } from '../errors/codes.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import type { Outcome } from '../model/outcome.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { RunHost } from '../ports/executor.js';
import { BackgroundThread, type ThreadEnd, type ThreadOptions } from './background-thread.js';
import { cameWith } from './conversions.js';
import { HeldRun } from './held-run.js';
import type { ArrivingParts } from './long-parts.js';
import type { Parcel, ThreadOffer, ToHost } from './messages.js';

interface SeatParts {
  readonly options: ThreadOptions;
  readonly project: string;
  readonly clock: Clock;
  /** Its thread could not even load its modules: another would fail as well. */
  readonly onGivenUp: (error: Error) => void;
}

const EMPTY = new Uint8Array(0);

/** A place for one thread at a time, and the runs that it holds. A thread that ends is replaced. */
export class Seat {
  readonly #parts: SeatParts;
  readonly #held = new Map<string, HeldRun>();
  #thread: BackgroundThread;
  /** Long parts of the value that was settled last; they come before anything else does. */
  #arriving: ArrivingParts | undefined;
  #numbered = 0;
  #closed = false;

  constructor(parts: SeatParts) {
    this.#parts = parts;
    this.#thread = this.#newThread();
  }

  /** What the thread offers, once it has loaded its modules. */
  get ready(): Promise<ThreadOffer> {
    return this.#thread.ready;
  }

  /** How many runs compute or wait to. */
  get load(): number {
    let load = 0;
    for (const run of this.#held.values()) if (run.state !== 'hanging') load += 1;
    return load;
  }

  execute(call: EncodedCall, host: RunHost): Promise<Outcome> {
    const cancelled = host.cancel.reason;
    if (cancelled) return Promise.resolve({ status: 'CANCELLED', error: toPlainError(cancelled) });
    return new Promise((resolve) => {
      let grace: Timer | undefined;
      this.#numbered += 1;
      const held = new HeldRun({
        number: this.#numbered,
        call,
        host,
        thread: this.#thread,
        clock: this.#parts.clock,
        settled: (outcome) => {
          stopListening();
          grace?.cancel();
          this.#held.delete(call.runId);
          resolve(outcome);
        },
        arriving: (parts) => (this.#arriving = parts),
      });
      const stopListening = host.cancel.onCancel((reason) => {
        if (held.state === 'coming') return held.settle({ status: 'CANCELLED', error: toPlainError(reason) });
        this.#thread.send({ kind: 'cancel', runId: call.runId, error: toPlainError(reason) });
        grace = this.#parts.clock.after(LIMITS.cancelGraceMs, () => this.#lateToCancel(held, reason));
      });
      this.#held.set(call.runId, held);
      held.begin();
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    // The run is over, and its value on its way: the thread copies it, and does nothing else meanwhile.
    await this.#arriving?.come;
    await this.#thread.terminate();
  }

  #newThread(): BackgroundThread {
    const { options, project, clock } = this.#parts;
    return new BackgroundThread({
      ...{ options, project, clock },
      onParcel: (parcel) => this.#receive(parcel),
      onEnd: (end) => this.#replace(end),
    });
  }

  /** A cancelled run that does not end: its thread is ended, unless that would hit another run. */
  #lateToCancel(held: HeldRun, reason: Error): void {
    const computing = this.#thread.computing;
    if (computing === held.number || computing === 0) void this.#thread.terminate();
    else held.settle({ status: 'CANCELLED', error: toPlainError(reason) });
  }

  #receive({ message, value }: Parcel<ToHost>): void {
    if (message.kind === 'ready' || message.kind === 'broken') return;
    if (message.kind === 'withdraw') {
      for (const run of this.#held.values()) if (run.withdraw(message.runId, message.error)) return;
      return;
    }
    if (message.kind === 'piece') {
      const { buffers } = cameWith(value, `part ${message.part}`);
      return this.#arriving?.add(message.part, buffers[0] ?? EMPTY);
    }
    // Those of a run that nobody waits for any more are not for the one before.
    if (message.kind === 'settled') this.#arriving = undefined;
    const runId = runOf(message);
    if (runId !== undefined) this.#held.get(runId)?.receive(message, value);
  }

  #replace(end: ThreadEnd): void {
    this.#arriving?.fail(
      new RoutineEngineError('WORKER_LOST', 'The background thread ended before all of a result had come'),
    );
    this.#arriving = undefined;
    const lost = [...this.#held.values()];
    const computing = this.#thread.computing;
    const guilty = lost.find((run) => run.number === computing);
    if (end.cause === 'never-ready') this.#parts.onGivenUp(end.error);
    else if (!this.#closed) this.#thread = this.#newThread();
    for (const run of lost) run.settle(outcomeOfLost(run, end, guilty));
  }
}

/** A sub-run is its parent's business; everything else names the run itself. */
function runOf(message: Exclude<ToHost, { kind: 'ready' | 'broken' | 'piece' }>): string | undefined {
  if (message.kind === 'request') return message.call.parentRunId;
  return message.kind === 'retry' ? message.parentRunId : message.runId;
}

/** What becomes of a run whose thread ended. */
function outcomeOfLost(run: HeldRun, end: ThreadEnd, guilty: HeldRun | undefined): Outcome {
  const reason = run.host.cancel.reason;
  if (reason) return { status: 'CANCELLED', error: toPlainError(reason) };
  const { routineId } = run.call;
  const fails =
    end.cause !== 'closed' && end.cause !== 'never-ready' && (guilty === run || guilty === undefined);
  if (fails) {
    return end.cause === 'out-of-memory'
      ? failed(
          'THREAD_OUT_OF_MEMORY',
          `${routineId} brought its background thread to its memory limit`,
          end.error,
        )
      : failed(
          'THREAD_EXITED',
          `The thread ended while ${routineId} was running: ${end.error.message}`,
          end.error,
        );
  }
  const lost = failed(
    'WORKER_LOST',
    `The background thread that held ${routineId} ended because of another run`,
  );
  // A workflow that waits for the run that ended its thread would call it again, and again.
  const waitedForGuilty =
    guilty !== undefined && guilty.call.rootRunId === run.call.rootRunId && run.state === 'hanging';
  return { ...lost, again: waitedForGuilty ? 'downfall' : 'lost' };
}

function failed(code: ErrorCode, message: string, cause?: Error): Extract<Outcome, { status: 'FAILED' }> {
  return { status: 'FAILED', error: toPlainError(new RoutineEngineError(code, message, { cause })) };
}
