import { askEncoded } from '../context/ask-encoded.js';
import { CallControl } from '../context/call-control.js';
import { Cancellation } from '../context/cancellation.js';
import { executeBody } from '../context/execute-body.js';
import { rejected } from '../context/rejected.js';
import { currentRunScope, RunScope, type ScopeEngine, type ScopeReporter } from '../context/run-scope.js';
import { snapshot } from '../codec/snapshot.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import {
  completeRoutineId,
  formatRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';
import { runningMean } from '../model/running-mean.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { fromCallMessage, fromOutcomeMessage, toCallMessage, toOutcomeMessage } from './conversions.js';
import type { Parcel, ToGuest, ToHost } from './messages.js';
import type { ParcelPort } from './parcel-port.js';

export interface GuestParts {
  readonly port: ParcelPort<ToHost, ToGuest>;
  readonly codec: Codec;
  readonly catalog: RoutineCatalog;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly project: string;
  /** One Int32; see {@link ThreadStart.computing}. */
  readonly computing: Int32Array;
}

/** Bodies known to be shorter than this, in milliseconds, are not told of before they begin, but when they end. */
const SHORT_MS = 1;

interface HeldRun {
  /** Stands for it in the shared memory that tells the host who computes. */
  readonly number: number;
  readonly call: EncodedCall;
  readonly cancellation: Cancellation;
}

/**
 * The side of a background thread that is inside it: runs bodies one at a time, the next when the last is over or
 * hangs, and sends what they call to the host.
 */
export class Guest implements ScopeEngine {
  readonly #parts: GuestParts;
  readonly #inbox: HeldRun[] = [];
  readonly #held = new Map<string, HeldRun>();
  readonly #asked = new Map<string, (outcome: Outcome) => void>();
  readonly #reporter: ScopeReporter;
  /** Full routine id -> running mean of how long its bodies take, in milliseconds. */
  readonly #meanMs = new Map<string, number>();
  /** Numbers of the runs whose bodies compute (they began or were resumed, and wait for no sub-run), the latest last. */
  #computing: number[] = [];

  constructor(parts: GuestParts) {
    this.#parts = parts;
    const { port } = parts;
    this.#reporter = {
      hanging: (scope, waits) => {
        const number = this.#held.get(scope.runId)?.number ?? 0;
        this.#setComputing(number, !waits);
        port.send({ kind: 'hanging', runId: scope.runId, waits });
        // Not inside the call that the body is just making: its request goes out before the next body computes.
        if (waits) queueMicrotask(() => this.#startNext());
      },
      progress: (scope, done, total) => port.send({ kind: 'progress', runId: scope.runId, done, total }),
      log: (scope, level, message) => port.send({ kind: 'log', runId: scope.runId, level, message }),
    };
  }

  receive({ message, value }: Parcel<ToGuest>): void {
    switch (message.kind) {
      case 'run': {
        const { number } = message;
        const held = { number, call: fromCallMessage(message.call, value), cancellation: new Cancellation() };
        this.#held.set(held.call.runId, held);
        this.#inbox.push(held);
        return this.#startNext();
      }
      case 'cancel':
        return this.#cancel(message.runId, fromPlainError(message.error));
      case 'answer':
        return this.#asked.get(message.runId)?.(fromOutcomeMessage(message.outcome, value));
    }
  }

  /** A call made by a body of this thread. */
  run(call: RoutineCall): Promise<unknown> {
    const parent = currentRunScope();
    const { clock, project } = this.#parts;
    let control: CallControl | undefined;
    try {
      if (!parent) throw outsideAnyRun(call);
      const routineId = formatRoutineId(
        call.id.form === 'name' ? completeRoutineId(call.id, { project }) : call.id,
      );
      control = new CallControl(call, routineId, parent, clock);
      const { cancellation } = control;
      if (cancellation.reason) throw cancellation.reason;
      return askEncoded({ call, routineId, parent, control }, this.#parts, (encoded) =>
        this.#ask(encoded, cancellation),
      );
    } catch (error) {
      control?.release();
      return rejected(error, parent !== undefined);
    }
  }

  async #ask(call: EncodedCall, cancellation: Cancellation): Promise<unknown> {
    const { port, codec } = this.#parts;
    const outcome = await new Promise<Outcome>((resolve) => {
      this.#asked.set(call.runId, resolve);
      cancellation.onCancel((reason) => {
        if (!this.#asked.delete(call.runId)) return;
        const error = toPlainError(reason);
        port.send({ kind: 'withdraw', runId: call.runId, error });
        resolve({ status: 'CANCELLED', error });
      });
      port.send({ kind: 'request', call: toCallMessage(call) }, call.arguments);
    });
    this.#asked.delete(call.runId);
    if (outcome.status === 'DONE') return codec.decode(outcome.value);
    throw fromPlainError(outcome.error, { where: `${call.routineId}, called by ${call.parentRunId}` });
  }

  /** Says that the run in whose code this is called brings the thread down. */
  blame(): void {
    const held = this.#held.get(currentRunScope()?.runId ?? '');
    if (held) Atomics.store(this.#parts.computing, 0, held.number);
  }

  #setComputing(number: number, computes: boolean): void {
    this.#computing = this.#computing.filter((other) => other !== number);
    if (computes) this.#computing.push(number);
    Atomics.store(this.#parts.computing, 0, this.#computing.at(-1) ?? 0);
  }

  #startNext(): void {
    if (this.#computing.length > 0) return;
    const next = this.#inbox.shift();
    if (next) void this.#execute(next);
  }

  async #execute(held: HeldRun): Promise<void> {
    const { port, codec, clock } = this.#parts;
    const { runId } = held.call;
    this.#setComputing(held.number, true);
    port.send({ kind: 'starting', runId });
    // A body that computes without a pause would keep the message back until it ends.
    if (!((this.#meanMs.get(held.call.routineId) ?? SHORT_MS) < SHORT_MS)) port.flushForNext();
    let scope: RunScope | undefined;
    let outcome: Outcome;
    try {
      scope = this.#scopeOf(held);
      const definition = this.#parts.catalog.find(parseRoutineId(held.call.routineId) as NamedRoutineId);
      outcome = await executeBody(scope, definition, held.call, { codec, clock, argumentsAreShared: false });
    } catch (error) {
      outcome = { status: 'FAILED', error: toPlainError(error) };
    }
    scope?.end();
    this.#setComputing(held.number, false);
    if (outcome.status === 'DONE') this.#learn(held.call.routineId, outcome.durationMs);
    this.#settle(runId, outcome);
    this.#startNext();
  }

  #learn(routineId: string, durationMs: number): void {
    this.#meanMs.set(routineId, runningMean(this.#meanMs.get(routineId), durationMs));
  }

  #scopeOf({ call, cancellation }: HeldRun): RunScope {
    const { runId, parentRunId, rootRunId, attempt, routineId } = call;
    return new RunScope({
      engine: this,
      kind: parseRoutineId(routineId).kind,
      routineId,
      cancel: cancellation,
      reporter: this.#reporter,
      ids: this.#parts.ids,
      requested: { runId, parentRunId, rootRunId, attempt },
    });
  }

  #settle(runId: string, outcome: Outcome): void {
    this.#held.delete(runId);
    const value = outcome.status === 'DONE' ? snapshot(outcome.value) : undefined;
    this.#parts.port.send({ kind: 'settled', runId, outcome: toOutcomeMessage(outcome) }, value, true);
  }

  #cancel(runId: string, reason: Error): void {
    const held = this.#held.get(runId);
    if (!held) return;
    held.cancellation.cancel(reason);
    const waiting = this.#inbox.indexOf(held);
    if (waiting === -1) return;
    this.#inbox.splice(waiting, 1);
    this.#settle(runId, { status: 'CANCELLED', error: toPlainError(reason) });
  }
}

function outsideAnyRun(call: RoutineCall): RoutineEngineError {
  return new RoutineEngineError(
    'LIFECYCLE_CLOSED',
    `${formatRoutineId(call.id)} was called in a background thread outside any run, such as at the top of its module`,
  );
}
