import type { PlainError } from '../errors/plain-error.js';
import type { Body } from '../model/body.js';
import type { Timer } from '../ports/clock.js';
import type { RequestStart } from '../protocol/directives.js';
import type { NodeSession } from './node-session.js';
import type { WorkerEntry } from './worker-table.js';

/** A run that the service has accepted and not yet answered. */
export interface RunRecord {
  readonly request: RequestStart;
  /** Arguments, kept until the run is over, so that it can be placed again. */
  readonly body: Body;
  readonly requester: NodeSession;
  /** Order of acceptance. */
  readonly order: number;
  /** The worker that holds the run; absent while it waits. */
  worker?: WorkerEntry | undefined;
  /** Placements so far. */
  attempt: number;
  /** Fencing number of the current placement: reports that carry another are not listened to. */
  lease: number;
  /** Workers that went down while they held it. */
  downfalls: number;
  /** What it counts in the backlog of its worker, in milliseconds. */
  expectedMs: number;
  /** Its worker said that the body began to run. */
  started: boolean;
  /** Why its requester wants it no more. */
  cancelled?: PlainError | undefined;
  /** Its body waits for sub-runs, so it takes no slot. */
  hanging: boolean;
  /** The requester was told that no worker offers the routine. */
  told: boolean;
  queueTimer?: Timer | undefined;
}
