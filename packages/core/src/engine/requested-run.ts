import { Cancellation } from '../context/cancellation.js';
import type { DispatchObserver } from '../dispatch/dispatcher.js';
import type { PlainError } from '../errors/plain-error.js';
import type { LogLevel } from '../events/engine-event.js';
import type { EncodedCall } from '../model/call.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Requester } from '../ports/executor.js';
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
  /** Of the latest execution, or the one that is to come. */
  attempt: number;
  /** Where its body began to run last, and when, in milliseconds since 1970. */
  started: { readonly worker: string; readonly attempt: number; readonly at: number } | undefined;
  onStatus: ActiveRun['onStatus'];
  /** It goes on without this engine. */
  isDetached = false;
  readonly #onAccepted: (() => void) | undefined;
  readonly #events: RunEvents;
  readonly #active: ActiveRuns;
  readonly #isWatched: boolean;

  /** @param parts - `isWatched`: whether a trigger may want to know more of it. */
  constructor(
    call: EncodedCall,
    cancel: CancelSignal,
    requester: Requester | undefined,
    parts: { readonly events: RunEvents; readonly active: ActiveRuns; readonly isWatched: boolean },
  ) {
    this.call = call;
    this.attempt = call.attempt;
    this.#isWatched = parts.isWatched;
    this.onStatus = requester?.status;
    this.#onAccepted = requester?.accepted;
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

  get triggeredBy(): string | undefined {
    return this.call.triggeredBy;
  }

  get triggerDepth(): number | undefined {
    return this.call.triggerDepth;
  }

  leave(): void {
    this.toldEnd = true;
  }

  accepted(): void {
    this.#onAccepted?.();
  }

  waiting(detail: string): void {
    this.#events.tell(this, { type: 'run.waiting', reason: 'no-capable-worker', detail });
  }

  retrying(attempt: number, error: PlainError): void {
    this.attempt = attempt;
    this.#tellRetry(error, 0);
  }

  /** It failed, and is to be run again after that many milliseconds. */
  again(error: PlainError, delayMs: number): void {
    this.attempt += 1;
    this.#tellRetry(error, delayMs);
  }

  starting(attempt: number, worker: string): void {
    this.attempt = attempt;
    this.#active.setStatus(this, 'RUNNING');
    if (this.#isWatched) this.started = { worker, attempt, at: this.#events.now };
    if (this.#events.observed) this.#events.tell(this, { type: 'run.starting', worker });
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

  #tellRetry(error: PlainError, delayMs: number): void {
    this.#active.setStatus(this, 'PENDING');
    this.#events.tell(this, { type: 'run.retrying', error, delayMs });
  }
}
