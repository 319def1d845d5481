import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { OfferedRoutine } from '../model/routine-definition.js';
import type { RequestStart } from '../protocol/directives.js';

/** What the service is told of a routine. */
export function toldOf({ routineId, sourceHash, trigger }: OfferedRoutine): OfferedRoutine {
  return { routineId, sourceHash, ...(trigger && { trigger: { on: trigger.on, when: trigger.when } }) };
}

/** What a request asks the engine for. */
export function callOf(request: RequestStart, args: Encoded): EncodedCall {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, remember, answer } = request;
  const { attemptTimeoutMs, depth, submitted, priority, triggeredBy, triggerDepth } = request;
  return {
    runId,
    rootRunId,
    routineId,
    attempt,
    arguments: args,
    parentRunId,
    argumentsDigest,
    remember,
    answer,
    attemptTimeoutMs,
    depth,
    submitted,
    priority,
    triggeredBy,
    triggerDepth,
  };
}
