import type { PlainError } from '../errors/plain-error.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { Body } from '../model/body.js';
import type { Timer } from '../ports/clock.js';
import type { RequestStart, RunHeader } from '../protocol/directives.js';
import type { WatchedBody } from '../protocol/watched-body.js';
import type { RunRequester } from './run-requester.js';
import type { WaitingLine } from './waiting-line.js';
import type { WorkerEntry } from './worker-entry.js';

/** A run that the service has accepted and not yet answered. */
export interface RunRecord {
  request: RequestStart;
  /**
   * Arguments. Kept until the run is over when they are in memory, so that it can be placed again. When they stream they go
   * to the worker as they come, and are gone.
   */
  body: Body | undefined;
  /** The requester was asked to send the arguments again; until then the run is held. */
  asked?: 'again' | 'inline' | undefined;
  requester: RunRequester;
  /** Over which of its connections the requester asked for it last. */
  askedIn: number;
  /**
   * No queue is too full for it: it was taken in before, by a service that was there before this one perhaps, or as one that
   * follows an equal call.
   */
  isTakenIn: boolean;
  /** Order of acceptance. */
  readonly order: number;
  /** The worker that holds the run; absent while it waits. */
  worker?: WorkerEntry | undefined;
  /** The current or last attempt: each placement is one more. */
  attempt: number;
  /** Fencing number of the current placement: reports that carry another are not listened to. */
  lease: number;
  /** The run as which its worker executes it, when that is another one that it has taken over. */
  executedAs?: string | undefined;
  /** Workers that went down while they held it. */
  downfalls: number;
  /** How often workers that went on gave it back. */
  losses: number;
  /** What it counts in the backlog of its worker, in milliseconds. */
  expectedMs: number;
  /** Its worker said that the body began to run. */
  started: boolean;
  /** Why its requester wants it no more. */
  cancelled?: PlainError | undefined;
  /** Its body waits for sub-runs, so it takes no slot. */
  hanging: boolean;
  /** Its result on the way from worker to requester: it has computed, and is over when this has gone through. */
  delivery?: WatchedBody | undefined;
  /** What it has in common with equal calls; absent when it is for itself. */
  sharedAs?: string | undefined;
  /** The equal call that it follows: it is not placed, and gets what comes of that one. */
  leader?: RunRecord | undefined;
  /** The equal calls that follow it, in the order of their requests. */
  followers?: Set<RunRecord> | undefined;
  /** Of a second execution that was begun since the first takes long: that one. */
  readonly first?: RunRecord | undefined;
  /** The requester was told that no worker offers the routine. */
  told: boolean;
  queueTimer?: Timer | undefined;
  /** When it was its root's turn as it was accepted; 0 before. */
  turn: number;
  /** Bytes of its arguments that count as long as it waits. */
  queuedBytes?: number | undefined;
  /** Where it waits. */
  line: WaitingLine | undefined;
  /** Its neighbours there. */
  before: RunRecord | undefined;
  behind: RunRecord | undefined;
  heapIndex: number;
}

/** Names the current execution of a run to its worker. */
export function executionOf({ request, executedAs, attempt, lease }: RunRecord): RunHeader {
  return { runId: executedAs ?? request.runId, attempt, lease };
}

/**
 * Refuses a report whose lease is that of a run, but not what else it says.
 * @throws {@link RoutineEngineError} `PROTOCOL_MALFORMED`.
 */
export function assertExecution(record: RunRecord, report: RunHeader & { readonly type: string }): void {
  const { type, runId, attempt, lease } = report;
  const heldRunId = record.executedAs ?? record.request.runId;
  if (runId === heldRunId && attempt === record.attempt) return;
  const what = `of attempt ${attempt} of run ${runId}, but its lease ${lease} is of attempt ${record.attempt} of run ${heldRunId}`;
  throw new RoutineEngineError('PROTOCOL_MALFORMED', `A directive ${type} came ${what}`);
}
