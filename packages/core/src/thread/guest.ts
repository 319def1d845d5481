import { askEncoded, type EncodedAsk } from '../context/ask-encoded.js';
import { Cancellation } from '../context/cancellation.js';
import { contentOf } from '../context/content-of.js';
import { executeBody } from '../context/execute-body.js';
import { makeRef } from '../context/ref.js';
import { handled } from '../context/rejected.js';
import { runCall, submitCall, type CallTaker } from '../context/start-call.js';
import { SubmittedRun } from '../context/submitted-run.js';
import { requesterOf } from '../context/requester.js';
import {
  currentRunScope,
  requestedOf,
  RunScope,
  type ScopeEngine,
  type ScopeReporter,
} from '../context/run-scope.js';
import { fromPlainError, toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EncodedCall } from '../model/call.js';
import type { Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import type { ReferenceData } from '../model/reference.js';
import {
  completeRoutineId,
  formatRoutineId,
  parseRoutineId,
  type NamedRoutineId,
} from '../model/routine-id.js';
import { runningMean } from '../model/running-mean.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { Requester } from '../ports/executor.js';
import type { Ids } from '../ports/ids.js';
import type { RoutineCatalog } from '../ports/routine-catalog.js';
import type { RoutineCall } from '../ports/routine-engine.js';
import { cameWith, fromCallMessage } from './conversions.js';
import { GuestContents } from './guest-contents.js';
import { GuestSubRuns } from './guest-sub-runs.js';
import type { OutcomeMessage, Parcel, ToGuest, ToHost } from './messages.js';
import type { ParcelPort } from './parcel-port.js';
import { sendSettled } from './send-settled.js';

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
  /** As it was asked for. */
  readonly asked: Extract<ToGuest, { kind: 'run' }>;
  readonly cancellation: Cancellation;
  /** Made when first needed: most runs have neither streams nor references. */
  contents?: GuestContents;
}

/**
 * The side of a background thread that is inside it: runs bodies one at a time, the next when the last is over or
 * hangs, and sends what they call to the host.
 */
export class Guest implements ScopeEngine, CallTaker {
  readonly #parts: GuestParts;
  readonly #inbox: HeldRun[] = [];
  readonly #held = new Map<string, HeldRun>();
  readonly #subRuns: GuestSubRuns;
  readonly #reporter: ScopeReporter;
  /** Full routine id -> running mean of how long its bodies take, in milliseconds. */
  readonly #meanMs = new Map<string, number>();
  /** Numbers of the runs whose bodies compute (they began or were resumed, and wait for no sub-run), the latest last. */
  #computing: number[] = [];

  constructor(parts: GuestParts) {
    this.#parts = parts;
    const { port } = parts;
    this.#subRuns = new GuestSubRuns(port);
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
        const call = fromCallMessage(message.call, value);
        const held = { number, call, asked: message, cancellation: new Cancellation() };
        this.#held.set(held.call.runId, held);
        this.#inbox.push(held);
        return this.#startNext();
      }
      case 'cancel':
        return this.#cancel(message.runId, fromPlainError(message.error));
      case 'answer':
        return this.#subRuns.answered(message.runId, { outcome: message.outcome, value });
      case 'may-retry':
        return void this.#subRuns.decide(message);
      case 'status':
        return this.#subRuns.tell(message.runId, message.status);
      case 'accepted':
        return this.#subRuns.accepted(message.runId);
      default:
        return this.#held.get(message.runId)?.contents?.receive(message, value);
    }
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  /** A call made by a body of this thread. */
  run(call: RoutineCall): Promise<unknown> {
    return runCall(this, call);
  }

  /** A run that a body of this thread does not wait for. @throws what `run` rejects with before the run begins. */
  submit(call: RoutineCall): SubmittedRun {
    const submitted = new SubmittedRun(undefined, call.options?.detached);
    submitCall(this, call, submitted);
    return submitted;
  }

  accept({ id }: RoutineCall, parent: RunScope | undefined): string {
    if (!parent) throw outsideAnyRun(`${formatRoutineId(id)} was called`);
    const { project } = this.#parts;
    return formatRoutineId(id.form === 'name' ? completeRoutineId(id, { project }) : id);
  }

  answer(ask: EncodedAsk): Promise<unknown> {
    const { call, control, submitted } = ask;
    return askEncoded(ask, this.#parts, (encoded, resolve, reject) => {
      const asking = this.#ask(encoded, control.cancellation, requesterOf(call, submitted));
      void asking.then(resolve, reject);
    });
  }

  /** Asked by a body of this thread. */
  resolve(reference: ReferenceData): Promise<unknown> {
    return handled(this.#resolve(reference));
  }

  /** Asked by a body of this thread. */
  open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    return handled(this.#open(reference));
  }

  async #resolve(reference: ReferenceData): Promise<unknown> {
    const encoded = await this.#contentsOfCurrentRun(reference).fetch(reference);
    return this.#parts.codec.decode(encoded, { copy: true, reference: makeRef });
  }

  async #open(reference: ReferenceData): Promise<AsyncIterable<Uint8Array>> {
    const encoded = await this.#contentsOfCurrentRun(reference).fetch(reference);
    return contentOf(encoded, this.#parts.codec, reference, {});
  }

  async #ask(
    call: EncodedCall,
    cancellation: Cancellation,
    requester: Requester | undefined,
  ): Promise<unknown> {
    const { outcome, value } = await this.#subRuns.ask(call, cancellation, requester);
    if (outcome.status === 'DONE') return this.#answerOf(call, outcome, value);
    throw fromPlainError(outcome.error, { where: `${call.routineId}, called by ${call.parentRunId}` });
  }

  #answerOf(
    call: EncodedCall,
    { reference, streams }: Extract<OutcomeMessage, { status: 'DONE' }>,
    value: Encoded | undefined,
  ): unknown {
    if (call.answer === 'reference' && reference) return makeRef(reference);
    const came = cameWith(value, call.routineId);
    const parent = streams && this.#held.get(call.parentRunId ?? '');
    const encoded = parent ? this.#contentsOf(parent).restore(came, streams) : came;
    return this.#parts.codec.decode(encoded, { reference: makeRef });
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
    const { port } = this.#parts;
    const { runId, routineId } = held.call;
    this.#setComputing(held.number, true);
    port.send({ kind: 'starting', runId });
    // A body that computes without a pause would keep the message back until it ends.
    const isShort = (this.#meanMs.get(routineId) ?? SHORT_MS) < SHORT_MS;
    if (!isShort || held.call.attemptTimeoutMs !== undefined) port.flushForNext();
    let scope: RunScope | undefined;
    let outcome: Outcome;
    try {
      scope = this.#scopeOf(held);
      outcome = await this.#executeIn(scope, held);
    } catch (error) {
      outcome = { status: 'FAILED', error: toPlainError(error) };
    }
    scope?.end();
    this.#setComputing(held.number, false);
    if (outcome.status === 'DONE') this.#learn(routineId, outcome.durationMs);
    this.#settle(held, outcome);
    this.#startNext();
  }

  #executeIn(scope: RunScope, held: HeldRun): Promise<Outcome> {
    const { codec, clock, catalog } = this.#parts;
    const definition = catalog.find(parseRoutineId(held.call.routineId) as NamedRoutineId);
    return executeBody(scope, definition, held.call, {
      codec,
      clock,
      argumentsAreShared: false,
      finishesNode: held.asked.finishesNode,
      fetch: (reference) => this.#contentsOf(held).fetch(reference),
      // The code of a stream belongs to the run as well.
      spool: (chunks) => this.#contentsOf(held).spool(chunks),
    });
  }

  #contentsOf(held: HeldRun): GuestContents {
    const { port, clock } = this.#parts;
    const { call, cancellation } = held;
    return (held.contents ??= new GuestContents({ runId: call.runId, port, clock, cancellation }));
  }

  #contentsOfCurrentRun({ routineId }: ReferenceData): GuestContents {
    const scope = currentRunScope();
    const asked = `the result of ${routineId} was asked for`;
    if (!scope) throw outsideAnyRun(asked);
    const held = this.#held.get(scope.runId);
    if (held) return this.#contentsOf(held);
    const message = `In ${scope.routineId} ${asked} after its body was over: await what a body starts`;
    throw new RoutineEngineError('RUN_CANCELLED', message);
  }

  #learn(routineId: string, durationMs: number): void {
    this.#meanMs.set(routineId, runningMean(this.#meanMs.get(routineId), durationMs));
  }

  #scopeOf({ call, cancellation }: HeldRun): RunScope {
    const { routineId } = call;
    return new RunScope({
      engine: this,
      kind: parseRoutineId(routineId).kind,
      routineId,
      cancel: cancellation,
      reporter: this.#reporter,
      ids: this.#parts.ids,
      requested: requestedOf(call),
    });
  }

  #settle(held: HeldRun, outcome: Outcome): void {
    const { runId, routineId } = held.call;
    this.#held.delete(runId);
    sendSettled(this.#parts.port, runId, outcome, held.asked.takesArriving === true);
    held.contents?.close(new RoutineEngineError('RUN_CANCELLED', `${routineId} ended before its stream`));
  }

  #cancel(runId: string, reason: Error): void {
    const held = this.#held.get(runId);
    if (!held) return;
    held.cancellation.cancel(reason);
    const waiting = this.#inbox.indexOf(held);
    if (waiting === -1) return;
    this.#inbox.splice(waiting, 1);
    this.#settle(held, { status: 'CANCELLED', error: toPlainError(reason) });
  }
}

function outsideAnyRun(what: string): RoutineEngineError {
  return new RoutineEngineError(
    'LIFECYCLE_CLOSED',
    `${what} in a background thread outside any run, such as at the top of its module`,
  );
}
