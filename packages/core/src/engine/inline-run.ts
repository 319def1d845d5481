import type { Cancellation } from '../context/cancellation.js';
import { RunScope, type RunScopeParts, type SubRun } from '../context/run-scope.js';
import type { SubmittedRun } from '../context/submitted-run.js';
import type { ActiveRun } from './active-runs.js';
import type { EventRun } from './run-events.js';

/** A run whose body gets the caller's values: scope, run in hand and run that events tell of at once. */
export class InlineRun extends RunScope implements ActiveRun, EventRun, SubRun {
  readonly cancellation: Cancellation;
  /** By the monotonic clock; it is not read while nobody listens. */
  readonly startedAt: number | undefined;
  status: ActiveRun['status'] = 'RUNNING';
  toldEnd = false;
  onStatus: ActiveRun['onStatus'];

  constructor(parts: RunScopeParts, cancellation: Cancellation, startedAt: number | undefined) {
    super(parts);
    this.cancellation = cancellation;
    this.startedAt = startedAt;
  }

  /** There is a handle to it. */
  beginAs(submitted: SubmittedRun): void {
    submitted.begin(this);
    submitted.tell(this.status);
    this.onStatus = (status) => submitted.tell(status);
  }

  abandon(reason: Error): void {
    this.cancellation.cancel(reason);
  }
}
