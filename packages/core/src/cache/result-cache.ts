import { Cancellation } from '../context/cancellation.js';
import type { ErrorCode } from '../errors/codes.js';
import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent, StoreEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { bodyOf } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import { encodedBytes, type Encoded } from '../model/encoded.js';
import type { Outcome } from '../model/outcome.js';
import { LIMITS } from '../model/limits.js';
import type { ResultKey, ResultMetadata } from '../model/result.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock } from '../ports/clock.js';
import type { ResultStore } from '../ports/result-store.js';
import type { Token } from '../ports/tokens.js';
import { isAnswer } from './answer-form.js';
import type { Contents } from './contents.js';
import { resultKey, runKey } from './result-key.js';
import { blobPartsOf, referenceTo, storedValue } from './stored-value.js';

/** A call whose result is remembered. @public */
export type RememberedCall = EncodedCall & { readonly argumentsDigest: string };

/** How a remembered call was answered. @public */
export interface Answer {
  readonly outcome: Outcome;
  /** The store had it, an equal call in flight gave it, or this call's own run did. */
  readonly from: 'store' | 'shared' | 'run';
}

/** Several calls of one key that share one run. */
interface Flight {
  readonly cancellation: Cancellation;
  readonly answer: Promise<Answer>;
  callers: number;
}

/** What a {@link ResultCache} is made of. @public */
export interface ResultCacheParts {
  readonly store: ResultStore;
  /** Moves large parts of values to and from that store. */
  readonly contents: Contents;
  /** Name of the codec whose bytes are kept. */
  readonly codec: string;
  readonly clock: Clock;
  readonly feed: EventFeed<EngineEvent>;
  readonly node: string;
}

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

type HappeningOf<Event> = Event extends { readonly type: string }
  ? Omit<Event, 'at' | 'node' | 'store' | 'key'>
  : never;

/** Answers calls from stored results, and lets equal calls in flight share one run. @public */
export class ResultCache {
  readonly #parts: ResultCacheParts;
  readonly #flights = new Map<ResultKey, Flight>();

  constructor(parts: ResultCacheParts) {
    this.#parts = parts;
  }

  /**
   * Gives the kept result of a call, or has it computed and keeps what comes out. Never rejects.
   * @param sourceHash - of the routine that computes, for a `-dev` version.
   * @param cancel - takes this caller out; the run is cancelled when no caller is left.
   * @param compute - runs the call. Equal calls wait for one that is under way, unless they may wait for a worker only
   *   so long: they have a run of their own. Failures are not kept.
   */
  remember(
    call: RememberedCall,
    sourceHash: string | undefined,
    cancel: CancelSignal,
    compute: (cancel: CancelSignal) => Promise<Outcome>,
  ): Promise<Answer> {
    const key = this.#keyOf(call, sourceHash);
    const flying = call.queueTimeoutMs === undefined ? this.#flights.get(key) : undefined;
    const flight = flying ?? this.#takeOff(call, key, compute);
    flight.callers += 1;
    return new Promise((resolve) => {
      const leave = cancel.onCancel((reason) => {
        flight.callers -= 1;
        if (flight.callers === 0) {
          if (this.#flights.get(key) === flight) this.#flights.delete(key);
          flight.cancellation.cancel(reason);
        }
        resolve({ outcome: { status: 'CANCELLED', error: toPlainError(reason) }, from: 'run' });
      });
      void flight.answer.then((answer) => {
        if (cancel.reason) return;
        leave();
        // Each who joined becomes an owner at most once, so this ends.
        const again = (): Promise<Answer> => this.remember(call, sourceHash, cancel, compute);
        if (!flying) return resolve(answer);
        if (failedForOwner(answer)) return resolve(again());
        const shared: Answer = answer.from === 'run' ? { outcome: answer.outcome, from: 'shared' } : answer;
        resolve(isAnswer(call, shared.outcome) ? shared : this.#fitted(call, key, shared, again));
      });
    });
  }

  /**
   * Keeps the value of an outcome, unless the store has it. A call without digest is kept under its run, for whoever gets
   * the reference.
   * @returns the outcome, saying where it is remembered, and naming it when what stands for its value is known.
   */
  async keep(call: EncodedCall, sourceHash: string | undefined, outcome: Outcome): Promise<Outcome> {
    const { store, contents } = this.#parts;
    if (outcome.status !== 'DONE' || !outcome.value || outcome.rememberedIn === store.identity)
      return outcome;
    const { value, node } = outcome;
    const key = this.#keyOf(call, sourceHash);
    try {
      const shared = await contents.share(value);
      if (shared.blobs && !store.blobs) throw keepsNoBlobs(store.name);
      const { head, buffers } = shared;
      const metadata = this.#metadataOf(call, outcome, shared);
      const kept = await store.put(key, { metadata, body: bodyOf({ head, buffers }) });
      this.#tell(key, { type: 'store.put', byteLength: encodedBytes(value), outcome: kept });
      return {
        ...outcome,
        rememberedIn: store.identity,
        ...(node && { reference: referenceTo(store, key, metadata, value, node) }),
      };
    } catch (error) {
      this.#tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(error) });
      return outcome;
    }
  }

  /** Puts a result aside that its caller can't read: asked again, the call is a miss. Never rejects. */
  discard(call: RememberedCall, sourceHash: string | undefined, error: unknown): Promise<void> {
    return this.#putAside(this.#keyOf(call, sourceHash), toPlainError(error).message);
  }

  async #putAside(key: ResultKey, detail: string): Promise<void> {
    this.#tell(key, { type: 'store.corrupt', detail });
    try {
      await this.#parts.store.delete(key);
    } catch (failure) {
      this.#tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(failure) });
    }
  }

  #takeOff(
    call: RememberedCall,
    key: ResultKey,
    compute: (cancel: CancelSignal) => Promise<Outcome>,
  ): Flight {
    const cancellation = new Cancellation();
    const flight: Flight = {
      cancellation,
      callers: 0,
      answer: this.#answer(call, key, cancellation, compute),
    };
    // One that others may join already stays the one to join.
    if (!this.#flights.has(key)) this.#flights.set(key, flight);
    void flight.answer.then(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }

  /** An answer that others had asked for in another form, in the form that this call wants. */
  async #fitted(
    call: RememberedCall,
    key: ResultKey,
    answer: Answer,
    again: () => Promise<Answer>,
  ): Promise<Answer> {
    const { outcome } = answer;
    const { identity } = this.#parts.store;
    const isHere =
      outcome.status === 'DONE' && (outcome.rememberedIn ?? outcome.reference?.store) === identity;
    const stored = isHere ? await this.#lookUp(key, call) : undefined;
    return stored ? { outcome: stored, from: answer.from } : again();
  }

  async #answer(
    call: RememberedCall,
    key: ResultKey,
    cancellation: Cancellation,
    compute: (cancel: CancelSignal) => Promise<Outcome>,
  ): Promise<Answer> {
    const stored = await this.#lookUp(key, call);
    if (stored) return { outcome: stored, from: 'store' };
    const reason = cancellation.reason;
    if (reason) return { outcome: { status: 'CANCELLED', error: toPlainError(reason) }, from: 'run' };
    try {
      return { outcome: await compute(cancellation), from: 'run' };
    } catch (error) {
      return { outcome: { status: 'FAILED', error: toPlainError(error) }, from: 'run' };
    }
  }

  /** A store that can't be asked counts as a miss: tasks are pure, so running one again is always right. */
  async #lookUp(key: ResultKey, call: RememberedCall): Promise<Outcome | undefined> {
    const { store } = this.#parts;
    try {
      const found = await store.get(key);
      if (!found) {
        this.#tell(key, { type: 'store.miss' });
        return undefined;
      }
      const value = await storedValue(store, found);
      const { durationMs, node } = found.metadata;
      const outcome: Outcome = {
        status: 'DONE',
        value,
        rememberedIn: store.identity,
        durationMs,
        ...(node !== undefined && {
          reference: referenceTo(store, key, found.metadata, value, Buffer.from(node, 'base64')),
        }),
      };
      // Without what a reference needs it is of no use, and would stand in the way of a new one.
      if (!isAnswer(call, outcome)) {
        await this.#putAside(key, 'It was kept without what a reference to it needs');
        return undefined;
      }
      this.#tell(key, { type: 'store.hit', byteLength: encodedBytes(value) });
      return outcome;
    } catch (error) {
      this.#tell(key, { type: 'store.failed', operation: 'get', error: toPlainError(error) });
      return undefined;
    }
  }

  #keyOf(call: EncodedCall, sourceHash: string | undefined): ResultKey {
    const { routineId, argumentsDigest, runId } = call;
    const { codec } = this.#parts;
    if (argumentsDigest === undefined) return runKey(runId, codec);
    return resultKey({ routineId, argumentsDigest, sourceHash, codec });
  }

  #metadataOf(
    call: EncodedCall,
    { durationMs, node }: Extract<Outcome, { readonly status: 'DONE' }>,
    value: Encoded,
  ): ResultMetadata {
    const { routineId, argumentsDigest, runId } = call;
    const { codec, clock } = this.#parts;
    return {
      ...{ routineId, argumentsDigest, runId, codec, durationMs, createdAt: clock.now() },
      ...{ blobs: blobPartsOf(value), streams: value.streams },
      node: node && Buffer.from(node).toString('base64'),
    };
  }

  #tell(key: ResultKey, happening: HappeningOf<StoreEvent>): void {
    const { feed, clock, node, store } = this.#parts;
    if (feed.observed)
      feed.emit({ at: clock.now(), node, store: store.name, key, ...happening } as StoreEvent);
  }
}

function keepsNoBlobs(store: string): RoutineEngineError {
  return new RoutineEngineError(
    'STORE_FULL',
    `The store ${store} keeps no blobs, so a result with streams of more than ${LIMITS.streamInMemoryBytes} bytes is not ` +
      'remembered: use a store that does, such as fsStore()',
  );
}

function failedForOwner({ outcome }: Answer): boolean {
  return outcome.status === 'FAILED' && OF_THE_OWNER.has(outcome.error.code);
}
