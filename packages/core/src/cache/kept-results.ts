import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent, StoreEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { ArrivingPart } from '../model/arriving-part.js';
import { bodyOf } from '../model/body.js';
import type { EncodedCall } from '../model/call.js';
import { encodedBytes, type Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { Outcome } from '../model/outcome.js';
import { isDevelopmentVersion, parseRoutineId, type NamedRoutineId } from '../model/routine-id.js';
import {
  RESULT_INPUTS,
  type ResultInput,
  type ResultKey,
  type ResultMetadata,
  type StoredResult,
} from '../model/result.js';
import type { Clock } from '../ports/clock.js';
import type { Codec } from '../ports/codec.js';
import type { ResultStore } from '../ports/result-store.js';
import { isAnswer } from './answer-form.js';
import type { Contents } from './contents.js';
import { withFinishedNode } from './finish-node.js';
import { resultKey, runKey } from './result-key.js';
import { blobPartsOf, referenceTo, storedValue, valueAtHand } from './stored-value.js';

/** What computes a result, as far as it is known where the result is looked up or kept. @public */
export interface ResultMaker {
  /** Hash of the source of the routine. */
  readonly sourceHash?: string | undefined;
  /** Name of the node. */
  readonly worker?: string | undefined;
}

/** What {@link KeptResults} works with. */
export interface KeptResultsParts {
  readonly store: ResultStore;
  /** Moves large parts of values to and from that store. */
  readonly contents: Contents;
  /** Its bytes are kept. */
  readonly codec: Codec;
  readonly clock: Clock;
  readonly feed: EventFeed<EngineEvent>;
  readonly node: string;
}

type HappeningOf<Event> = Event extends { readonly type: string }
  ? Omit<Event, 'at' | 'node' | 'store' | 'key'>
  : never;
type Done = Extract<Outcome, { readonly status: 'DONE' }>;

/** Results of calls in a store: their keys, looking them up, keeping them. What the store can't do is told, and a miss. */
export class KeptResults {
  readonly #parts: KeptResultsParts;
  /** Released routines whose stored results come from another source: told once each. */
  readonly #toldSources = new Set<string>();

  constructor(parts: KeptResultsParts) {
    this.#parts = parts;
  }

  keyOf(call: EncodedCall, maker: ResultMaker): ResultKey {
    const { routineId, argumentsDigest, runId } = call;
    const codec = this.#parts.codec.name;
    if (argumentsDigest === undefined) return runKey(runId, codec);
    const sourceHash = isOfDevelopment(routineId) ? maker.sourceHash : undefined;
    return resultKey({ routineId, argumentsDigest, sourceHash, codec });
  }

  /**
   * Keeps the value of an outcome, unless the store has it. A call without digest is kept under its run, for whoever gets
   * the reference.
   * @returns the outcome, saying where it is remembered, and naming it when what stands for its value is known; that of the
   *   first result when the store had one.
   */
  async keep(call: EncodedCall, maker: ResultMaker, outcome: Outcome): Promise<Outcome> {
    const { store, clock } = this.#parts;
    if (outcome.status !== 'DONE' || !outcome.value) return outcome;
    const { value, node } = outcome;
    const isKept = outcome.rememberedIn === store.identity;
    if (isKept && (call.answer !== 'both' || outcome.reference)) return outcome;
    const key = this.keyOf(call, maker);
    try {
      if (isKept) {
        if (!node) return (await this.#first(key, call)) ?? outcome;
        return { ...outcome, reference: referenceTo(store, key, call, value, node) };
      }
      return await this.#keepNew(key, call, maker, outcome, value);
    } catch (error) {
      this.tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(error) });
      // Whoever asked may keep and name it elsewhere. What did not arrive cannot be sent either: then it is run again.
      return withFinishedNode(outcome, value, clock).catch(() => ({ ...outcome, unfinishedNode: undefined }));
    }
  }

  async #keepNew(
    key: ResultKey,
    call: EncodedCall,
    maker: ResultMaker,
    outcome: Done,
    value: Encoded,
  ): Promise<Done> {
    const { store, contents, clock } = this.#parts;
    const shared = await contents.share(value);
    if (shared.blobs && !store.blobs) throw keepsNoBlobs(store.name);
    const finished = await withFinishedNode(outcome, shared, clock);
    const { head, buffers } = shared;
    const metadata = this.#metadataOf(call, maker, finished, shared);
    const kept = await this.#put(key, call, { metadata, body: bodyOf({ head, buffers }) });
    this.tell(key, { type: 'store.put', byteLength: encodedBytes(value), outcome: kept });
    const first = kept === 'present' ? await this.#first(key, call) : undefined;
    if (first) return first;
    // What was still arriving may be let go of, and has a digest by now.
    const isAtHand =
      !value.blobs || [...value.blobs.values()].every((blob) => !(blob instanceof ArrivingPart));
    const given = isAtHand ? value : shared;
    const { node } = finished;
    return {
      ...finished,
      value: given,
      rememberedIn: store.identity,
      ...(node && { reference: referenceTo(store, key, metadata, given, node) }),
    };
  }

  /**
   * The kept result of a call. A store that can't be asked counts as a miss: tasks are pure, so running one again is always
   * right.
   * @param use - gets it, once; the promise is settled by what it returns or throws: of what most hits take, promises are much.
   * @param isQuiet - whether a miss is not told, since it was before.
   */
  lookUp<T>(
    key: ResultKey,
    call: EncodedCall,
    maker: ResultMaker,
    use: (outcome: Outcome | undefined) => T | PromiseLike<T>,
    isQuiet = false,
  ): Promise<T> {
    const fail = (error: unknown): Promise<undefined> => this.#failLookUp(key, error);
    try {
      return this.#parts.store.get(key).then(
        (found) => {
          const outcome = this.#found(key, found, call, maker, fail, isQuiet);
          return outcome instanceof Promise ? outcome.then(use) : use(outcome);
        },
        (error: unknown) => fail(error).then(use),
      );
    } catch (error) {
      // A store that throws where it should reject.
      return fail(error).then(use);
    }
  }

  /** Never throws nor rejects. */
  #found(
    key: ResultKey,
    found: StoredResult | undefined,
    call: EncodedCall,
    maker: ResultMaker,
    fail: (error: unknown) => Promise<undefined>,
    isQuiet: boolean,
  ): Outcome | undefined | Promise<Outcome | undefined> {
    try {
      if (found && !this.#isTooOld(found.metadata, call)) return this.#answer(key, found, call, maker, fail);
      if (!isQuiet) this.tell(key, { type: 'store.miss' });
      return undefined;
    } catch (error) {
      return fail(error);
    }
  }

  #answer(
    key: ResultKey,
    found: StoredResult,
    call: EncodedCall,
    maker: ResultMaker,
    fail: (error: unknown) => Promise<undefined>,
  ): Outcome | undefined | Promise<Outcome | undefined> {
    const value = valueAtHand(found);
    if (value) return this.#checked(key, found, value, call, maker);
    const checked = storedValue(this.#parts.store, found).then((stored) =>
      this.#checked(key, found, stored, call, maker),
    );
    return checked.catch(fail);
  }

  #checked(
    key: ResultKey,
    found: StoredResult,
    value: Encoded,
    call: EncodedCall,
    maker: ResultMaker,
  ): Outcome | Promise<undefined> {
    const outcome = this.#outcomeOf(key, found, value, call);
    // Without what a reference needs it is of no use, and would stand in the way of a new one.
    if (!isAnswer(call, outcome))
      return this.putAside(key, 'It was kept without what a reference to it needs').then(() => undefined);
    this.#checkSource(key, call.routineId, maker, found.metadata);
    this.tell(key, { type: 'store.hit', byteLength: outcome.value ? encodedBytes(outcome.value) : 0 });
    return outcome;
  }

  async #failLookUp(key: ResultKey, error: unknown): Promise<undefined> {
    this.tell(key, { type: 'store.failed', operation: 'get', error: toPlainError(error) });
    // It would stand in the way of what is computed now, and references to it would lead nowhere.
    if (isOfTheResult(error)) await this.putAside(key, error.message);
  }

  /** Puts a result aside that can't be used. Never rejects. */
  async putAside(key: ResultKey, detail: string): Promise<void> {
    this.tell(key, { type: 'store.corrupt', detail });
    try {
      await this.#parts.store.delete(key);
    } catch (failure) {
      this.tell(key, { type: 'store.failed', operation: 'put', error: toPlainError(failure) });
    }
  }

  tell(key: ResultKey, happening: HappeningOf<StoreEvent>): void {
    const { feed, clock, node, store } = this.#parts;
    if (feed.observed)
      feed.emit({ at: clock.now(), node, store: store.name, key, ...happening } as StoreEvent);
  }

  /** The result that was kept first, which counts for everybody; a reference to any other value would name it falsely. */
  async #first(key: ResultKey, call: EncodedCall): Promise<Done | undefined> {
    const { store } = this.#parts;
    const found = await store.get(key);
    const outcome = found && this.#outcomeOf(key, found, await storedValue(store, found), call);
    return outcome && isAnswer(call, outcome) ? outcome : undefined;
  }

  #outcomeOf(key: ResultKey, found: StoredResult, value: Encoded, { answer }: EncodedCall): Done {
    const { store } = this.#parts;
    const { durationMs, node } = found.metadata;
    const outcome: Done = { status: 'DONE', value, rememberedIn: store.identity, durationMs };
    // Most calls want the value only, and are answered in a few microseconds.
    if (answer === undefined || node === undefined) return outcome;
    const reference = referenceTo(store, key, found.metadata, value, Buffer.from(node, 'base64'));
    return { ...outcome, reference };
  }

  /** One that was computed anew takes the place of one that would not do. */
  async #put(key: ResultKey, call: EncodedCall, result: StoredResult): Promise<'stored' | 'present'> {
    const { store } = this.#parts;
    const { refresh, maxAgeMs } = call.remember ?? {};
    if (refresh) await store.delete(key);
    const kept = await store.put(key, result);
    if (kept === 'stored' || maxAgeMs === undefined) return kept;
    const there = await store.get(key);
    if (there && !this.#isTooOld(there.metadata, call)) return kept;
    await store.delete(key);
    return store.put(key, result);
  }

  #isTooOld({ createdAt }: ResultMetadata, { remember }: EncodedCall): boolean {
    const maxAgeMs = remember?.maxAgeMs;
    return maxAgeMs !== undefined && this.#parts.clock.now() - createdAt > maxAgeMs;
  }

  #checkSource(key: ResultKey, routineId: string, maker: ResultMaker, { sourceHash }: ResultMetadata): void {
    if (maker.sourceHash === undefined || sourceHash === undefined || maker.sourceHash === sourceHash) return;
    if (this.#toldSources.has(routineId)) return;
    this.#toldSources.add(routineId);
    this.tell(key, { type: 'store.source_changed', routineId });
  }

  #metadataOf(
    call: EncodedCall,
    maker: ResultMaker,
    { durationMs, node }: Done,
    value: Encoded,
  ): ResultMetadata {
    const { routineId, argumentsDigest, runId, parentRunId, remember } = call;
    const { codec, clock } = this.#parts;
    // Each name by itself: objects put together of others take three times the memory, and much longer.
    return {
      routineId,
      argumentsDigest,
      runId,
      parentRunId,
      durationMs,
      createdAt: clock.now(),
      codec: codec.name,
      sourceHash: maker.sourceHash,
      worker: maker.worker,
      inputs: this.#inputsOf(call),
      outline: remember?.outline,
      blobs: blobPartsOf(value),
      streams: value.streams,
      node: node && Buffer.from(node).toString('base64'),
    };
  }

  #inputsOf(call: EncodedCall): readonly ResultInput[] | undefined {
    const references = this.#parts.codec.references(call.arguments);
    if (references.length === 0) return undefined;
    return references.slice(0, RESULT_INPUTS).map(({ key, store, routineId }) => ({ key, store, routineId }));
  }
}

function isOfDevelopment(routineId: string): boolean {
  return isDevelopmentVersion((parseRoutineId(routineId) as NamedRoutineId).version);
}

/** Whether a result itself is at fault, and not the way to it. */
function isOfTheResult(error: unknown): error is RoutineEngineError {
  if (!(error instanceof RoutineEngineError)) return false;
  return error.code === 'CONTENT_MISSING' || error.code === 'BYTES_MALFORMED';
}

function keepsNoBlobs(store: string): RoutineEngineError {
  return new RoutineEngineError(
    'STORE_FULL',
    `The store ${store} keeps no blobs, so a result with streams of more than ${LIMITS.streamInMemoryBytes} bytes is not ` +
      'remembered: use a store that does, such as fsStore()',
  );
}
