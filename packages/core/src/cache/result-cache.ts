import type { Cancellation } from '../context/cancellation.js';
import { makeRef } from '../context/ref.js';
import type { ErrorCode } from '../errors/codes.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { EncodedCall } from '../model/call.js';
import { encodedBytes } from '../model/encoded.js';
import type { Explanation, Provenance } from '../model/explanation.js';
import type { Outcome } from '../model/outcome.js';
import type { ReferenceData } from '../model/reference.js';
import type { ResultKey } from '../model/result.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Token } from '../ports/tokens.js';
import { isAnswer } from './answer-form.js';
import { explainResult } from './explain.js';
import { Flight } from './flight.js';
import { KeptResults, type KeptResultsParts, type ResultMaker } from './kept-results.js';
import { takeTurn } from './lease-turn.js';
import { outlineOf } from './outline.js';
import { provenanceOf } from './provenance.js';

/** A call whose result is remembered. @public */
export type RememberedCall = EncodedCall & { readonly argumentsDigest: string };

/** How a remembered call was answered. @public */
export interface Answer {
  readonly outcome: Outcome;
  /** The store had it, an equal call in flight gave it, or this call's own run did. */
  readonly from: 'store' | 'shared' | 'run';
}

/**
 * Runs a call.
 * @param outline - of its arguments, to be kept with the result.
 * @public
 */
export type Compute = (cancel: CancelSignal, outline: readonly string[]) => Promise<Outcome>;

/** What a {@link ResultCache} is made of. @public */
export type ResultCacheParts = KeptResultsParts;

/** The cache of a lifecycle; nodes of one process share it, and so share runs in flight. @public */
export const RESULT_CACHE: Token<ResultCache> = Symbol.for(
  '@routine-engine/result-cache',
) as Token<ResultCache>;

/**
 * Failures of whoever had the shared run started: his own patience, link, worker or lifecycle. Whoever joined has not
 * failed by them.
 */
const OF_THE_OWNER: ReadonlySet<unknown> = new Set<ErrorCode>([
  'QUEUE_TIMEOUT',
  'TRANSPORT_CLOSED',
  'WORKER_LOST',
  'LIFECYCLE_CLOSED',
]);

/** Of larger arguments the outline is one digest, so that they are not digested part by part once more. In bytes. */
const OUTLINED_BYTES = 8 * 1024 * 1024;

/** Answers calls from stored results, and lets equal calls in flight share one run. @public */
export class ResultCache {
  readonly #parts: ResultCacheParts;
  readonly #results: KeptResults;
  readonly #flights = new Map<ResultKey, Flight>();

  constructor(parts: ResultCacheParts) {
    this.#parts = parts;
    this.#results = new KeptResults(parts);
  }

  /**
   * Gives the kept result of a call, or has it computed and keeps what comes out. Never rejects.
   * @param maker - what would compute it here, as far as it is known.
   * @param cancel - takes this caller out; the run is cancelled when no caller is left.
   * @param compute - runs the call and keeps the result. Equal calls wait for one that is under way, here or in another
   *   process with the same store, unless they may wait for a worker only so long, or are to be computed anew: those have
   *   a run of their own. Failures are not kept.
   */
  remember(
    call: RememberedCall,
    maker: ResultMaker,
    cancel: CancelSignal,
    compute: Compute,
  ): Promise<Answer> {
    return new Promise((resolve) => this.answer(call, maker, cancel, compute, resolve));
  }

  /** As {@link ResultCache.remember}, but calls back, once and later. @param done - must not throw. */
  answer(
    call: RememberedCall,
    maker: ResultMaker,
    cancel: CancelSignal,
    compute: Compute,
    done: (answer: Answer) => void,
  ): void {
    const key = this.#results.keyOf(call, maker);
    const mayJoin = call.queueTimeoutMs === undefined && call.remember?.refresh !== true;
    const found = mayJoin ? this.#flights.get(key) : undefined;
    if (found && found.attemptTimeoutMs === call.attemptTimeoutMs) {
      // A promise, so that what follows has the asynchronous context of this caller, not that of who began the flight.
      void this.#join(found, call, maker, cancel, compute).then(done);
      return;
    }
    this.#board(this.#takeOff(call, key, maker, compute), cancel, done);
  }

  #join(
    flight: Flight,
    call: RememberedCall,
    maker: ResultMaker,
    cancel: CancelSignal,
    compute: Compute,
  ): Promise<Answer> {
    return new Promise((resolve) => {
      this.#board(flight, cancel, (answer) => {
        // Each who joined becomes an owner at most once, so this ends.
        const again = (): Promise<Answer> => this.remember(call, maker, cancel, compute);
        if (cancel.reason) return resolve(answer);
        if (failedForOwner(answer)) return resolve(again());
        const shared: Answer = answer.from === 'run' ? { outcome: answer.outcome, from: 'shared' } : answer;
        // Asked for in the same form, it could not be had in that.
        const isFinal = flight.form === call.answer || isAnswer(call, shared.outcome);
        resolve(isFinal ? shared : this.#fitted(call, flight.key, maker, shared, again));
      });
    });
  }

  /** Has a caller hear how a flight ends, or of his own cancellation. */
  #board(flight: Flight, cancel: CancelSignal, done: (answer: Answer) => void): void {
    flight.callers += 1;
    const leave = cancel.onCancel((reason) => {
      flight.callers -= 1;
      if (flight.callers === 0) {
        this.#leaveTable(flight);
        flight.cancellation.cancel(reason);
      }
      // Later: who cancels is in the middle of something.
      void Promise.resolve(cancelled(reason)).then(done);
    });
    flight.whenLanded((answer) => {
      if (cancel.reason) return;
      leave();
      done(answer);
    });
  }

  /**
   * The kept result of a call, if there is one and it may be used; equal calls under way are not looked at. A store that
   * can't be asked counts as a miss. Never rejects.
   */
  lookUp(call: RememberedCall, maker: ResultMaker): Promise<Outcome | undefined> {
    if (call.remember?.refresh) return Promise.resolve(undefined);
    return this.#results.lookUp(this.#results.keyOf(call, maker), call, maker, asItIs);
  }

  /** See {@link KeptResults.keep}. */
  keep(call: EncodedCall, maker: ResultMaker, outcome: Outcome): Promise<Outcome> {
    return this.#results.keep(call, maker, outcome);
  }

  /** Puts a result aside that its caller can't read: asked again, the call is a miss. Never rejects. */
  discard(call: RememberedCall, maker: ResultMaker, error: unknown): Promise<void> {
    return this.#results.putAside(this.#results.keyOf(call, maker), toPlainError(error).message);
  }

  /** Whether a call would be answered from the store, and if not, why. @throws what the store throws. */
  explain(call: RememberedCall, maker: ResultMaker): Promise<Explanation> {
    const { store, codec, clock } = this.#parts;
    const wanted = {
      key: this.#results.keyOf(call, maker),
      routineId: call.routineId,
      sourceHash: maker.sourceHash,
      codec: codec.name,
      outline: this.#outlineOf(call),
      maxAgeMs: call.remember?.maxAgeMs,
    };
    return explainResult(store, wanted, clock.now());
  }

  /** Where a kept result comes from. @throws what the store throws. */
  provenance(reference: ReferenceData): Promise<Provenance> {
    return provenanceOf(this.#parts.store, reference);
  }

  #takeOff(call: RememberedCall, key: ResultKey, maker: ResultMaker, compute: Compute): Flight {
    const flight = new Flight(key, call);
    // One that others may join already stays the one to join.
    if (!this.#flights.has(key)) this.#flights.set(key, flight);
    if (call.remember?.refresh === true) this.#run(flight, call, maker, compute);
    else
      void this.#results.lookUp(key, call, maker, (stored) => {
        if (stored) this.#land(flight, { outcome: stored, from: 'store' });
        else this.#run(flight, call, maker, compute);
      });
    return flight;
  }

  #run(flight: Flight, call: RememberedCall, maker: ResultMaker, compute: Compute): void {
    const computed = this.#computeUnlessCancelled(call, flight.key, maker, flight.cancellation, compute);
    void computed.then((answer) => this.#land(flight, answer));
  }

  #land(flight: Flight, answer: Answer): void {
    this.#leaveTable(flight);
    flight.land(answer);
  }

  /** From now on nobody joins it. */
  #leaveTable(flight: Flight): void {
    if (this.#flights.get(flight.key) === flight) this.#flights.delete(flight.key);
  }

  /** An answer that others had asked for in another form, in the form that this call wants. */
  async #fitted(
    call: RememberedCall,
    key: ResultKey,
    maker: ResultMaker,
    answer: Answer,
    again: () => Promise<Answer>,
  ): Promise<Answer> {
    const { outcome } = answer;
    const { identity } = this.#parts.store;
    const isHere =
      outcome.status === 'DONE' && (outcome.rememberedIn ?? outcome.reference?.store) === identity;
    const stored = isHere ? await this.#results.lookUp(key, call, maker, asItIs) : undefined;
    return stored ? { outcome: stored, from: answer.from } : again();
  }

  async #computeUnlessCancelled(
    call: RememberedCall,
    key: ResultKey,
    maker: ResultMaker,
    cancellation: Cancellation,
    compute: Compute,
  ): Promise<Answer> {
    const { reason } = cancellation;
    if (reason) return cancelled(reason);
    try {
      return await this.#compute(call, key, maker, cancellation, compute);
    } catch (error) {
      const status = cancellation.reason ? 'CANCELLED' : 'FAILED';
      return { outcome: { status, error: toPlainError(error) }, from: 'run' };
    }
  }

  /** With a store that has leases, one process computes, and the others wait for what it keeps. */
  async #compute(
    call: RememberedCall,
    key: ResultKey,
    maker: ResultMaker,
    cancellation: Cancellation,
    compute: Compute,
  ): Promise<Answer> {
    const run = async (): Promise<Answer> => ({
      outcome: await compute(cancellation, this.#outlineOf(call)),
      from: 'run',
    });
    const { store, clock, node } = this.#parts;
    const { leases } = store;
    if (!leases || call.remember?.refresh) return run();
    const look = async (): Promise<Answer | undefined> => {
      const outcome = await this.#results.lookUp(key, call, maker, asItIs, true);
      return outcome && { outcome, from: 'store' };
    };
    const onFailed = (error: unknown): void =>
      this.#results.tell(key, { type: 'store.failed', operation: 'lease', error: toPlainError(error) });
    return takeTurn(key, { leases, clock, holder: node, onFailed }, cancellation, look, run);
  }

  #outlineOf(call: RememberedCall): readonly string[] {
    if (call.remember?.outline) return call.remember.outline;
    const whole = ['args', call.argumentsDigest.slice(0, 16)];
    if (encodedBytes(call.arguments) > OUTLINED_BYTES) return whole;
    const { codec } = this.#parts;
    try {
      return outlineOf(codec.decode(call.arguments, { reference: makeRef }), 'args', codec);
    } catch {
      // Such as of a class that only the threads of a worker know: it is run all the same, but less can be explained.
      return whole;
    }
  }
}

const asItIs = (outcome: Outcome | undefined): Outcome | undefined => outcome;

function cancelled(reason: Error): Answer {
  return { outcome: { status: 'CANCELLED', error: toPlainError(reason) }, from: 'run' };
}

function failedForOwner({ outcome }: Answer): boolean {
  return outcome.status === 'FAILED' && OF_THE_OWNER.has(outcome.error.code);
}
