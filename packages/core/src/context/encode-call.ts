import { isDevelopmentVersion } from '../model/routine-id.js';
import type { EncodedCall } from '../model/call.js';
import type { Codec } from '../ports/codec.js';
import type { RoutineCall } from '../ports/routine-engine.js';

/** Whether the result of a call is to be looked up and kept. */
export function isRemembered(call: RoutineCall): boolean {
  return call.id.kind === 'task' && (call.options?.cache ?? call.definition?.options.cache) !== false;
}

/**
 * Encodes a call of user code. The buffers are views of the caller's values: copy them before the next await.
 * @throws {@link RoutineEngineError} `VALUE_NOT_ENCODABLE` or `VALUE_TOO_DEEP`, naming the path from `args` on.
 */
export function encodeCall(
  call: RoutineCall,
  run: Pick<EncodedCall, 'runId' | 'rootRunId' | 'routineId'> & { readonly parentRunId: string | undefined },
  codec: Codec,
): EncodedCall {
  const queueTimeoutMs = call.options?.queueTimeoutMs ?? call.definition?.options.queueTimeoutMs;
  return {
    runId: run.runId,
    rootRunId: run.rootRunId,
    routineId: run.routineId,
    attempt: 1,
    arguments: codec.encode(call.args, { path: 'args' }),
    parentRunId: run.parentRunId,
    answer: call.answer,
    ...(isRemembered(call) && { argumentsDigest: codec.digest(call.args, { path: 'args' }) }),
    queueTimeoutMs,
  };
}

/**
 * Which side knows the key of a remembered result: the requester, or, for a version that still changes, whoever
 * executes it, since only he knows the source that runs.
 */
export function keyIsKnownByExecutor(routineVersion: string | undefined): boolean {
  return routineVersion === undefined || isDevelopmentVersion(routineVersion);
}
