import type { Clock } from '../ports/clock.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { EncodedAsk } from './ask-encoded.js';
import { CallControl } from './call-control.js';
import { rejected } from './rejected.js';
import { currentRunScope, type RunScope } from './run-scope.js';
import type { SubmittedRun } from './submitted-run.js';

/** What answers the calls that user code makes in one thread. */
export interface CallTaker {
  readonly clock: Clock;
  /** @returns the full routine id. @throws when it takes no such call. */
  accept(call: RoutineCall, parent: RunScope | undefined): string;
  /** Has an accepted call answered. @throws before anything waits for it. */
  answer(ask: EncodedAsk): Promise<unknown>;
}

/** Starts a call whose caller waits for it. Never throws, but rejects. */
export function runCall(taker: CallTaker, call: RoutineCall): Promise<unknown> {
  const parent = currentRunScope();
  try {
    return start(taker, call, parent, undefined);
  } catch (error) {
    return rejected(error, parent !== undefined);
  }
}

/** Starts a call whose caller gets a handle. @throws what `runCall` rejects with before the run begins. */
export function submitCall(taker: CallTaker, call: RoutineCall, submitted: SubmittedRun): void {
  void start(taker, { ...call, cancel: submitted.cancellation }, currentRunScope(), submitted);
}

function start(
  taker: CallTaker,
  call: RoutineCall,
  parent: RunScope | undefined,
  submitted: SubmittedRun | undefined,
): Promise<unknown> {
  const routineId = taker.accept(call, parent);
  const control = new CallControl(call, routineId, parent, taker.clock);
  try {
    const { reason } = control.cancellation;
    if (reason) throw reason;
    const result = taker.answer({ call, routineId, parent, control, submitted });
    submitted?.follow(result, control.cancellation);
    return result;
  } catch (error) {
    control.release();
    throw error;
  }
}
