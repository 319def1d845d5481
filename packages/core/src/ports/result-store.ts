import type { Observable } from 'rxjs';
import type { StoreEvent } from '../events/engine-event.js';
import type { BlobStore } from './blob-store.js';
import type { LeaseStore } from './lease-store.js';
import type { ResultKey, ResultMetadata, StoredResult } from '../model/result.js';

/** What a store can do beyond the minimum. The engine and the compliance kit read it; nothing else decides. @public */
export interface ResultStoreCapabilities {
  /** What was put is still there after the process ends. */
  readonly durable: boolean;
  /** Several processes may use the same place at once. */
  readonly shared: boolean;
}

/** One line of {@link ResultStore.list}. @public */
export interface ResultEntry {
  readonly key: ResultKey;
  readonly metadata: ResultMetadata;
  /** Bytes of the result's body, without what the store adds and without its blobs. */
  readonly byteLength: number;
  /** See {@link ResultStore.pin}. */
  readonly pinned: boolean;
}

/** Options of one call of a store. @public */
export interface StoreCallOptions {
  /** Ends the call at once; it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Options of {@link ResultStore.sweep}. @public */
export interface SweepOptions extends StoreCallOptions {
  /** Says what would go, and removes nothing. */
  readonly dryRun?: boolean;
}

/** What {@link ResultStore.sweep} removed, or would with `dryRun`. @public */
export interface SweptAmount {
  /** Files, objects or whatever the store is made of. */
  readonly items: number;
  readonly byteLength: number;
}

/**
 * Remembers task results, so that a task which already ran with the same arguments is not run again.
 *
 * Every method may be called at any time and any number at once, until {@link ResultStore.close}. A key is 64
 * lower-case hex digits; another is refused with `STORE_KEY_INVALID`. After `close` they reject with `STORE_CLOSED`.
 * @public
 */
export interface ResultStore {
  /** Short name for logs and errors, such as `fs`. */
  readonly name: string;
  /**
   * Where the results are, such as `fs:/var/results`: two stores of one identity hold the same results. Sent to
   * other nodes, so it holds no secret.
   */
  readonly identity: string;
  readonly capabilities: ResultStoreCapabilities;
  /**
   * Content-addressed bytes in the same place: large parts of results are kept there, each once, and results name them in
   * their metadata. Absent: the store keeps results whole.
   */
  readonly blobs?: BlobStore;
  /** Who computes a result, for processes that share nothing but the store. Absent: the store can't tell. */
  readonly leases?: LeaseStore;
  /** `store.corrupt` and `store.evicted`; what the engine itself asks of a store is told by the engine. Never errors; completes at close. */
  readonly events$: Observable<StoreEvent>;

  /**
   * Looks up one result.
   * @returns the result, or `undefined` when there is none. A damaged one is put aside, told as `store.corrupt`, and
   *   counts as none. The bytes are read-only for everybody.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`, never reported as a missing key.
   */
  get(key: ResultKey, options?: StoreCallOptions): Promise<StoredResult | undefined>;

  /**
   * Keeps a result if the key has none yet. Atomic: nobody ever sees half of it; of two writers the first wins.
   * Resolves when the result is as durable as the store makes it. The caller leaves the bytes unchanged until then;
   * afterwards they are the caller's again.
   * @returns `stored`, or `present` when the key had a result already (which stays).
   * @throws {@link RoutineEngineError} `STORE_FULL` or `STORE_UNREACHABLE`; `BYTES_MALFORMED` when the body does not
   *   have the sizes it says; the reason of `signal`, at once; and what the body's own chunks throw. Nothing is left
   *   half-written.
   */
  put(key: ResultKey, result: StoredResult, options?: StoreCallOptions): Promise<'stored' | 'present'>;

  /** Whether there is a result, without reading it whole. A damaged one may still count. */
  has(key: ResultKey): Promise<boolean>;

  /** Forgets a result. @returns whether there was one. */
  delete(key: ResultKey): Promise<boolean>;

  /**
   * Says that a result is to stay: the store does not evict it, and collecting garbage leaves it and its blobs alone.
   * @param pinned - `false`: it is as any other again.
   * @returns whether there is such a result.
   */
  pin(key: ResultKey, pinned: boolean): Promise<boolean>;

  /**
   * All results in no particular order; what is put or deleted meanwhile may or may not be seen. One that is seen to be damaged
   * is put aside and told as by {@link ResultStore.get}, and not given.
   */
  list(): AsyncIterable<ResultEntry>;

  /**
   * Removes what nobody can get or needs any more: what writers and holders of leases that died have left, and damaged results
   * that were put aside long ago. Safe at any time: what live ones are at stays, wherever they are. Collecting garbage calls it.
   * Absent: nothing is ever left.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`; the reason of `signal`. What is gone by then is gone.
   */
  sweep?(options?: SweepOptions): Promise<SweptAmount>;

  /** Waits for what is under way, then releases everything. A second call does nothing. */
  close(): Promise<void>;
}
