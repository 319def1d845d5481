import type { RequestStart, RunCompletes, RunStarts } from './directives.js';

/*
 * Copies of directives that go on to somebody else. Every run has one of each, and all by name: what is spread and then stamped
 * with its session takes some thirty times as long, since each such object gets a shape of its own.
 */

/** The request of a run as the worker gets it. */
export function requestFor(request: RequestStart, attempt: number, lease: number): RequestStart {
  return {
    type: 'v1.routine.request_start',
    runId: request.runId,
    rootRunId: request.rootRunId,
    routineId: request.routineId,
    attempt,
    lease,
    parentRunId: request.parentRunId,
    argumentsDigest: request.argumentsDigest,
    remember: request.remember,
    answer: request.answer,
    queueTimeoutMs: request.queueTimeoutMs,
    attemptTimeoutMs: request.attemptTimeoutMs,
    speculateAfterMs: request.speculateAfterMs,
    depth: request.depth,
    submitted: request.submitted,
    priority: request.priority,
    labels: request.labels,
    store: request.store,
    blobs: request.blobs,
    serializers: request.serializers,
    inputs: request.inputs,
    detached: request.detached,
    triggeredBy: request.triggeredBy,
    triggerDepth: request.triggerDepth,
    resumed: request.resumed,
    startedOn: request.startedOn,
  };
}

/** That a run begins, as its requester, who may know it by another id, gets it. */
export function startingFor(
  runId: string,
  { attempt, worker }: Pick<RunStarts, 'attempt' | 'worker'>,
): RunStarts {
  return { type: 'v1.routine.starting', runId, attempt, lease: 0, worker };
}

/** What a run gave, as its requester, who may know it by another id, gets it. */
export function completedFor(runId: string, report: RunCompletes): RunCompletes {
  return {
    type: 'v1.routine.completed',
    runId,
    attempt: report.attempt,
    lease: 0,
    durationMs: report.durationMs,
    rememberedIn: report.rememberedIn,
    node: report.node,
    streams: report.streams,
    blobs: report.blobs,
    store: report.store,
    reference: report.reference,
    worker: report.worker,
  };
}
