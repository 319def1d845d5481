import { Cancellation } from '../context/cancellation.js';
import type { ServiceLink } from '../dispatch/service-link.js';
import type { RemoteDispatchEngine } from '../engine/remote-dispatch-engine.js';
import type { LogLevel } from '../events/engine-event.js';
import { bodyOf } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { RunHost } from '../ports/executor.js';
import type { PlaceAgain, RunHeader } from '../protocol/directives.js';

/** What the runs of one worker share. */
export interface WorkerRunParts {
  readonly worker: string;
  readonly link: ServiceLink;
  readonly engine: RemoteDispatchEngine;
  /** A run began to hang (`true`) or computes again. */
  readonly onHanging: (waits: boolean) => void;
}

/** A run that the service sent, from its taking to its report. */
export class WorkerRun implements RunHost {
  readonly header: RunHeader;
  readonly cancel = new Cancellation();
  readonly #parts: WorkerRunParts;
  #hangs = false;

  constructor({ runId, attempt, lease }: RunHeader, parts: WorkerRunParts) {
    this.header = { runId, attempt, lease };
    this.#parts = parts;
  }

  get hangs(): boolean {
    return this.#hangs;
  }

  request(call: EncodedCall, cancel: CancelSignal): Promise<Outcome> {
    return this.#parts.engine.request(call, cancel);
  }

  starting(): void {
    const { link, worker } = this.#parts;
    link.post({ type: 'v1.routine.starting', ...this.header, worker });
  }

  hanging(waits: boolean): void {
    if (this.#hangs === waits) return;
    this.#hangs = waits;
    this.#parts.link.post({ type: 'v1.routine.hanging', ...this.header, waits });
    this.#parts.onHanging(waits);
  }

  progress(done: number, total: number | undefined): void {
    this.#parts.link.post({ type: 'v1.routine.progress', ...this.header, done, total });
  }

  log(level: LogLevel, message: string): void {
    this.#parts.link.post({ type: 'v1.log', ...this.header, level, message });
  }

  /** Tells the service how the run ended. @param ending - the worker ends, and cancelled the run for that. */
  report(outcome: Outcome, ending: boolean): void {
    const { link } = this.#parts;
    if (outcome.status === 'DONE') {
      const { durationMs, rememberedIn, value } = outcome;
      const body = bodyOf(value);
      const { sizes } = body;
      return link.post(
        { type: 'v1.routine.completed', ...this.header, sizes, durationMs, rememberedIn },
        body,
      );
    }
    // What the worker cancels because it ends, nobody else wanted to be cancelled.
    const lost = outcome.status === 'CANCELLED' && ending && outcome.error.code === 'WORKER_LOST';
    const cancelled = outcome.status === 'CANCELLED' && !lost;
    const again = outcome.status === 'FAILED' ? outcome.again : undefined;
    this.fail(outcome.error, lost ? 'lost' : (again ?? 'no'), cancelled);
  }

  /** Tells the service that the run gave no value. */
  fail(error: Extract<Outcome, { status: 'FAILED' }>['error'], again: PlaceAgain, cancelled: boolean): void {
    this.#parts.link.post({ type: 'v1.routine.failed', ...this.header, cancelled, again, error });
  }
}
