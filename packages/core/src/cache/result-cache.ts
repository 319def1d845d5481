import { Cancellation } from '../context/cancellation.js';
import type { ErrorCode } from '../errors/codes.js';
import { toPlainError } from '../errors/error-conversion.js';
import type { EngineEvent, StoreEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { bodyOf, encodedOf } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import type { Outcome } from '../model/outcome.js';
import type { ResultKey } from '../model/result.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock } from '../ports/clock.js';
import type { ResultStore } from '../ports/result-store.js';
import type { Token } from '../ports/tokens.js';
import { resultKey } from './result-key.js';

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
    const flight = flying ?? this.#takeOff(key, compute);
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
        if (!flying) return resolve(answer);
        // Each who joined becomes an owner at most once, so this ends.
        if (failedForOwner(answer)) return resolve(this.remember(call, sourceHash, cancel, compute));
        resolve(answer.from === 'run' ? { outcome: answer.outcome, from: 'shared' } : answer);
      });
    });
  }

  /** Keeps the value of an outcome, unless the store has it. @returns the outcome, saying where it is remembered. */
  async keep(call: RememberedCall, sourceHash: string | undefined, outcome: Outcome): Promise<Outcome> {
    const { store } = this.#parts;
    if (outcome.status !== 'DONE' || outcome.rememberedIn === store.identity) return outcome;
    const key = this.#keyOf(call, sourceHash);
    const body = bodyOf(outcome.value);
    try {
      const kept = await store.put(key, { metadata: this.#metadataOf(call, outcome.durationMs), body });
      this.#tell(key, { type: 'store.put', byteLength: body.byteLength, outcome: kept });
      return { ...outcome, rememberedIn: store.identity };
    } catch (error) {
      this.#tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(error) });
      return outcome;
    }
  }

  /** Puts a result aside that its caller can't decode: asked again, the call is a miss. Never rejects. */
  async discard(call: RememberedCall, sourceHash: string | undefined, error: unknown): Promise<void> {
    const key = this.#keyOf(call, sourceHash);
    this.#tell(key, { type: 'store.corrupt', detail: toPlainError(error).message });
    try {
      await this.#parts.store.delete(key);
    } catch (failure) {
      this.#tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(failure) });
    }
  }

  #takeOff(key: ResultKey, compute: (cancel: CancelSignal) => Promise<Outcome>): Flight {
    const cancellation = new Cancellation();
    const flight: Flight = { cancellation, callers: 0, answer: this.#answer(key, cancellation, compute) };
    // One that others may join already stays the one to join.
    if (!this.#flights.has(key)) this.#flights.set(key, flight);
    void flight.answer.then(() => {
      if (this.#flights.get(key) === flight) this.#flights.delete(key);
    });
    return flight;
  }

  async #answer(
    key: ResultKey,
    cancellation: Cancellation,
    compute: (cancel: CancelSignal) => Promise<Outcome>,
  ): Promise<Answer> {
    const stored = await this.#lookUp(key);
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
  async #lookUp(key: ResultKey): Promise<Outcome | undefined> {
    const { store } = this.#parts;
    try {
      const found = await store.get(key);
      if (!found) {
        this.#tell(key, { type: 'store.miss' });
        return undefined;
      }
      const value = await encodedOf(found.body);
      this.#tell(key, { type: 'store.hit', byteLength: found.body.byteLength });
      return { status: 'DONE', value, rememberedIn: store.identity, durationMs: found.metadata.durationMs };
    } catch (error) {
      this.#tell(key, { type: 'store.failed', operation: 'get', error: toPlainError(error) });
      return undefined;
    }
  }

  #keyOf(call: RememberedCall, sourceHash: string | undefined): ResultKey {
    const { routineId, argumentsDigest } = call;
    return resultKey({ routineId, argumentsDigest, sourceHash, codec: this.#parts.codec });
  }

  #metadataOf(call: RememberedCall, durationMs: number): Parameters<ResultStore['put']>[1]['metadata'] {
    const { routineId, argumentsDigest, runId } = call;
    const { codec, clock } = this.#parts;
    return { routineId, argumentsDigest, runId, codec, durationMs, createdAt: clock.now() };
  }

  #tell(key: ResultKey, happening: HappeningOf<StoreEvent>): void {
    const { feed, clock, node, store } = this.#parts;
    if (feed.observed)
      feed.emit({ at: clock.now(), node, store: store.name, key, ...happening } as StoreEvent);
  }
}

function failedForOwner({ outcome }: Answer): boolean {
  return outcome.status === 'FAILED' && OF_THE_OWNER.has(outcome.error.code);
}
