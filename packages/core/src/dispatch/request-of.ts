import type { EncodedCall } from '../model/call.js';
import { LIMITS } from '../model/limits.js';
import { largestInputs, type RunInput } from '../model/run-input.js';
import type { BlobPart } from '../model/stored-blob.js';
import type { Codec } from '../ports/codec.js';
import type { RequestStart } from '../protocol/directives.js';

/**
 * The directive that asks for a call.
 * @param store - identity of the store that this node shares with others.
 * @param blobs - parts of the arguments that lie there.
 * @param inputs - kept results that the arguments refer to.
 */
export function requestOf(
  call: EncodedCall,
  store: string | undefined,
  blobs: readonly BlobPart[] | undefined,
  inputs?: readonly RunInput[],
): RequestStart {
  const { runId, parentRunId, rootRunId, routineId, attempt, argumentsDigest, answer, queueTimeoutMs } = call;
  const {
    remember,
    attemptTimeoutMs,
    speculateAfterMs,
    depth,
    submitted,
    priority,
    labels,
    triggeredBy,
    triggerDepth,
  } = call;
  return {
    type: 'v1.routine.request_start',
    runId,
    rootRunId,
    routineId,
    attempt,
    lease: 0,
    parentRunId,
    argumentsDigest,
    remember,
    answer,
    queueTimeoutMs,
    attemptTimeoutMs,
    speculateAfterMs,
    depth,
    submitted,
    priority,
    labels,
    store,
    blobs,
    serializers: call.serializers,
    inputs,
    detached: call.detached || undefined,
    triggeredBy,
    triggerDepth,
  };
}

/** Kept results that a call refers to, by which it is placed near to them. Where nodes share memory, all are near. */
export function inputsOf({ arguments: args }: EncodedCall, codec: Codec): readonly RunInput[] | undefined {
  const references = codec.references(args);
  if (references.length === 0) return undefined;
  const inputs = references.map(({ key, byteLength }) => ({ digest: key, byteLength }));
  return largestInputs(inputs, LIMITS.localityBytes);
}
