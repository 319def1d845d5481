import type { Observable } from 'rxjs';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { StateFeed } from '../events/state-feed.js';
import { isOver } from '../model/run-info.js';
import { statusWithoutValue, type RunStatus } from '../model/statuses.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { RunHandle } from '../ports/runs.js';
import { Cancellation } from './cancellation.js';
import { handled, rejected } from './rejected.js';
import { recursiveWait } from './recursion.js';
import { currentRunScope, type RunScope } from './run-scope.js';

/** What is told of a run that begins. */
interface BegunRun {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
}

const NOT_BEGUN: BegunRun = { runId: '', routineId: '', rootRunId: '' };

/** A run that was submitted, from its submission on. */
export class SubmittedRun implements RunHandle<unknown> {
  /** Cancels the call. */
  readonly cancellation = new Cancellation();
  readonly #status = new StateFeed<RunStatus>('PENDING');
  readonly status$: Observable<RunStatus> = this.#status.state$;
  #run = NOT_BEGUN;
  readonly #onEnd: (() => void) | undefined;
  readonly #acceptance: Acceptance | undefined;
  #result: Promise<unknown> | undefined;

  /**
   * @param onEnd - called once when the run is over.
   * @param isDetached - whether a service is to have it go on without this process.
   */
  constructor(onEnd?: () => void, isDetached?: boolean) {
    this.#onEnd = onEnd;
    this.#acceptance = isDetached ? new Acceptance() : undefined;
  }

  get runId(): string {
    return this.#run.runId;
  }

  get routineId(): string {
    return this.#run.routineId;
  }

  get parentRunId(): string | undefined {
    return this.#run.parentRunId;
  }

  get rootRunId(): string {
    return this.#run.rootRunId;
  }

  get status(): RunStatus {
    return this.#status.state;
  }

  /** The call was accepted as this run. */
  begin(run: BegunRun): void {
    const { runId, routineId, parentRunId, rootRunId } = run;
    this.#run = { runId, routineId, parentRunId, rootRunId };
  }

  accepted(): Promise<void> {
    return this.#acceptance?.promise ?? Promise.resolve();
  }

  /** A service has it, and lets it go on by itself. */
  accept(): void {
    this.#acceptance?.settle();
  }

  /** The run is known to do that. How it ended is told once. */
  tell(status: RunStatus): void {
    if (!isOver(this.status)) this.#status.set(status);
  }

  /**
   * @param result - of the call; that nobody waits for it must not end the process.
   * @param cancel - of the call.
   */
  follow(result: Promise<unknown>, cancel: CancelSignal): void {
    this.#result = result;
    const end = (status: RunStatus, error?: Error): void => {
      this.tell(status);
      this.#status.complete();
      this.#acceptance?.settle(error);
      this.#onEnd?.();
    };
    result.then(
      () => end('DONE'),
      (error: Error) => end(statusOfFailure(cancel.reason), error),
    );
  }

  result(): Promise<unknown> {
    const waiter = currentRunScope();
    const result = this.#result ?? Promise.reject(new Error('The run was not begun'));
    if (!waiter || isOver(this.status)) return result;
    if (waiter.isWithin(this.runId)) return rejected(recursiveWait(waiter, this), true);
    return handled(waitInside(waiter, this.runId, result));
  }

  cancel(reason?: unknown): void {
    if (!isOver(this.status)) this.cancellation.cancel(cancelledBy('its handle', this.routineId, reason));
  }
}

/** Whether a service has a detached run. */
class Acceptance {
  #settle: (error?: Error) => void = () => undefined;
  readonly promise = new Promise<void>((resolve, reject) => {
    this.#settle = (error) => (error ? reject(error) : resolve());
  });

  constructor() {
    // Nobody need ask.
    this.promise.catch(() => undefined);
  }

  /** The first time counts. @param error - why it never will have it. */
  settle(error?: Error): void {
    this.#settle(error);
  }
}

/** How a run ended that gave no value. @param reason - why it was cancelled, if it was. */
export function statusOfFailure(reason: Error | undefined): 'FAILED' | 'CANCELLED' {
  return statusWithoutValue(reason !== undefined, (reason as { readonly code?: unknown } | undefined)?.code);
}

/** Why a run is cancelled. */
export function cancelledBy(whom: string, routineId: string, reason: unknown): RoutineEngineError {
  return new RoutineEngineError('RUN_CANCELLED', `The run of ${routineId} was cancelled by ${whom}`, {
    cause: reason,
  });
}

/** Waits as the body of a run: it hangs meanwhile, and waits no more when it is cancelled. */
function waitInside(waiter: RunScope, runId: string, result: Promise<unknown>): Promise<unknown> {
  return new Promise((resolve, reject) => {
    // Its own caller, or whoever has the handle, ends it; not somebody who waits for it too.
    const settled = waiter.waitFor({ runId, abandon: () => undefined });
    const stopListening = waiter.cancel.onCancel((reason) => {
      settled();
      reject(reason);
    });
    const over = (): void => {
      stopListening();
      settled();
    };
    result.then(
      (value) => {
        over();
        resolve(value);
      },
      (error: Error) => {
        over();
        reject(error);
      },
    );
  });
}
