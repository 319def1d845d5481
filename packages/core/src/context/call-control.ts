import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { whenAborted } from '../model/when-aborted.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { Cancellation } from './cancellation.js';
import { assertDepth } from './recursion.js';
import type { RunScope } from './run-scope.js';

/** What may end one call before its body does: its caller's run, its signal, its time limit. */
export class CallControl {
  readonly cancellation = new Cancellation();
  readonly #leaveParent: (() => void) | undefined;
  readonly #leaveSignal: (() => void) | undefined;
  readonly #leaveGroup: (() => void) | undefined;
  readonly #timer: Timer | undefined;

  constructor(call: RoutineCall, routineId: string, parent: RunScope | undefined, clock: Clock) {
    if (parent) assertDepth(routineId, parent);
    if (parent?.ended) this.cancellation.cancel(endedError(routineId, parent));
    if (!call.options?.detached)
      this.#leaveParent = parent?.cancel.onCancel((reason) => this.cancellation.cancel(reason));
    this.#leaveGroup = call.cancel?.onCancel((reason) => this.cancellation.cancel(reason));
    const signal = call.options?.signal;
    if (signal) this.#leaveSignal = this.#follow(signal, routineId);
    const timeoutMs = call.options?.timeoutMs ?? call.definition?.options.timeoutMs;
    if (timeoutMs !== undefined)
      this.#timer = clock.after(timeoutMs, () => this.#timeOut(routineId, timeoutMs));
  }

  /** Takes every listener and timer back. Called once when the call has settled. */
  release(): void {
    this.#leaveParent?.();
    this.#leaveSignal?.();
    this.#leaveGroup?.();
    this.#timer?.cancel();
  }

  /**
   * The promise of a call: settles as its work does, or rejects at once when the call is cancelled.
   * @param begin - begins the work, which calls back once, and later: a promise less for each call.
   * @param onSettled - called once, just before; with the error when there is no value. What it sets off can't cancel
   *   the call any more.
   */
  settle<T>(
    begin: (resolve: (value: T) => void, reject: (error: Error) => void) => void,
    onSettled?: (error?: Error) => void,
  ): Promise<T> {
    const promise = new Promise<T>((resolve, reject) => {
      let over = false;
      const settle = (value: T | undefined, error: Error | undefined): void => {
        if (over) return;
        over = true;
        this.release();
        onSettled?.(error);
        if (error) reject(error);
        else resolve(value as T);
      };
      const fail = (error: Error): void => settle(undefined, error);
      begin((value) => settle(value, undefined), fail);
      this.cancellation.onCancel(fail);
    });
    // A sub-run that its caller does not wait for shows in the events; it must not end the process.
    if (this.#leaveParent) promise.catch(() => undefined);
    return promise;
  }

  #follow(signal: AbortSignal, routineId: string): () => void {
    const abort = (): void =>
      this.cancellation.cancel(
        new RoutineEngineError('RUN_CANCELLED', `The run of ${routineId} was cancelled by its signal`, {
          cause: signal.reason,
        }),
      );
    if (signal.aborted) {
      abort();
      return () => undefined;
    }
    return whenAborted(signal, abort);
  }

  #timeOut(routineId: string, timeoutMs: number): void {
    this.cancellation.cancel(
      new RoutineEngineError(
        'RUN_TIMEOUT',
        `The run of ${routineId} took longer than its timeoutMs of ${timeoutMs}`,
      ),
    );
  }
}

function endedError(routineId: string, parent: RunScope): RoutineEngineError {
  return new RoutineEngineError(
    'RUN_CANCELLED',
    `${routineId} was called by ${parent.routineId} after the body of that run was over: await what a body starts`,
  );
}
