import { Cancellation } from '../context/cancellation.js';
import type { DispatchObserver } from '../dispatch/dispatcher.js';
import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { ActiveRun, ActiveRuns } from './active-runs.js';
import type { EventRun, RunEvents } from './run-events.js';

const NOTHING: readonly string[] = [];

/** A requested run while it is in hand: what becomes of it shows in its status and in the events. */
export class RequestedRun implements ActiveRun, EventRun, DispatchObserver {
  readonly call: EncodedCall;
  readonly cancellation = new Cancellation();
  /** What it waits for is known where its body runs. */
  readonly waitsFor = NOTHING;
  status: ActiveRun['status'] = 'PENDING';
  toldEnd = false;
  readonly #events: RunEvents;
  readonly #active: ActiveRuns;

  constructor(
    call: EncodedCall,
    cancel: CancelSignal,
    parts: { readonly events: RunEvents; readonly active: ActiveRuns },
  ) {
    this.call = call;
    this.#events = parts.events;
    this.#active = parts.active;
    cancel.onCancel((reason) => this.cancellation.cancel(reason));
  }

  get runId(): string {
    return this.call.runId;
  }

  get routineId(): string {
    return this.call.routineId;
  }

  get parentRunId(): string | undefined {
    return this.call.parentRunId;
  }

  get rootRunId(): string {
    return this.call.rootRunId;
  }

  get attempt(): number {
    return this.call.attempt;
  }

  waiting(detail: string): void {
    this.#events.tell(this, { type: 'run.waiting', reason: 'no-capable-worker', detail });
  }

  retrying(attempt: number, error: PlainError): void {
    this.#events.tell(this, { type: 'run.retrying', error }, attempt);
  }

  starting(attempt: number, worker: string): void {
    this.#active.setStatus(this, 'RUNNING');
    this.#events.tell(this, { type: 'run.starting', worker }, attempt);
  }

  hanging(waits: boolean): void {
    this.#active.setStatus(this, waits ? 'HANGING' : 'RUNNING');
    this.#events.tell(this, { type: waits ? 'run.hanging' : 'run.resumed' });
  }

  progress(done: number, total: number | undefined): void {
    this.#events.tell(this, { type: 'run.progress', done, ...(total !== undefined && { total }) });
  }

  log(level: LogLevel, message: string): void {
    this.#events.tell(this, { type: 'run.log', level, message });
  }
}
