import type { EncodedCall } from '../model/call.js';
import type { Codec } from '../ports/codec.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import type { CallControl } from './call-control.js';
import { encodeCall } from './encode-call.js';
import type { RunScope, SubRun } from './run-scope.js';
import type { SubmittedRun } from './submitted-run.js';

/** One call of user code that is to be answered by way of bytes. */
export interface EncodedAsk {
  readonly call: RoutineCall;
  readonly routineId: string;
  /** The run that waits for it; absent for a root. */
  readonly parent: RunScope | undefined;
  readonly control: CallControl;
  /** Present when its caller does not wait for it. */
  readonly submitted?: SubmittedRun | undefined;
}

/** A detached run does not end with the one that submits it. @returns to be called when it has settled. */
export function adopted(
  parent: RunScope | undefined,
  subRun: SubRun,
  { options }: RoutineCall,
): (() => void) | undefined {
  return options?.detached ? undefined : parent?.adopt(subRun);
}

/**
 * Encodes a call as a run of its own, has it answered, and lets its parent wait.
 * @param ask - calls back, once and later, with the caller's value or why there is none. The buffers of the arguments are views
 *   of the caller's values: it copies them before it returns.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`; then nothing waits.
 */
export function askEncoded(
  { call, routineId, parent, control, submitted }: EncodedAsk,
  { codec, ids }: { readonly codec: Codec; readonly ids: Ids },
  ask: (encoded: EncodedCall, resolve: (value: unknown) => void, reject: (error: Error) => void) => void,
): Promise<unknown> {
  const { triggered } = call;
  const runId = triggered?.runId ?? ids.next();
  const rootRunId = parent?.rootRunId ?? runId;
  const above = parent?.submitted;
  const run = {
    runId,
    rootRunId,
    routineId,
    parentRunId: parent?.runId,
    depth: parent && parent.depth + 1,
    priority: parent?.priority,
    triggerDepth: triggered?.triggerDepth ?? parent?.triggerDepth,
    triggeredBy: triggered?.triggeredBy,
    submitted: submitted ? [...(above ?? []), runId] : above,
  };
  const encoded = encodeCall(call, run, codec);
  submitted?.begin(encoded);
  const subRun: SubRun = { runId, abandon: (reason) => control.cancellation.cancel(reason) };
  const settled = submitted ? adopted(parent, subRun, call) : parent?.waitFor(subRun);
  return control.settle((resolve, reject) => {
    try {
      ask(encoded, resolve, reject);
    } catch (error) {
      reject(error as Error);
    }
  }, settled);
}
