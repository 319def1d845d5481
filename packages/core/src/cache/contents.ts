import { snapshot } from '../codec/snapshot.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { ArrivingPart } from '../model/arriving-part.js';
import { isLoaded, type Encoded } from '../model/encoded.js';
import { LIMITS } from '../model/limits.js';
import type { ReferenceData } from '../model/reference.js';
import type { BlobPart, StoredBlob } from '../model/stored-blob.js';
import { untilAborted } from '../model/until-aborted.js';
import type { KeptBlob, Spool } from '../ports/blob-store.js';
import type { Clock } from '../ports/clock.js';
import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';
import type { Token } from '../ports/tokens.js';
import { ContentCache } from './content-cache.js';
import { readWhole, shortOrRest } from './read-chunks.js';
import { openBlobs, storedValue } from './stored-value.js';

/** What {@link Contents} is made of. @public */
export interface ContentsParts {
  readonly store: ResultStore;
  /** Takes long streams when the store keeps no blobs. */
  readonly spool: Spool;
  readonly clock: Clock;
  readonly feed: EventFeed<EngineEvent>;
  readonly node: string;
  /** Bytes of fetched content that are kept for further runs. Default `LIMITS.contentCacheBytes`. */
  readonly cacheBytes?: number;
}

/** The contents of a lifecycle; nodes of one process share them, and so what they fetched. @public */
export const CONTENTS: Token<Contents> = Symbol.for('@routine-engine/contents') as Token<Contents>;

/** Moves large parts of values between memory and the store, each part as seldom as can be. @public */
export class Contents {
  readonly #parts: ContentsParts;
  readonly #cache: ContentCache;
  /** Digests of parts that were put into the store: nobody changes them afterwards. */
  readonly #shared = new WeakMap<Uint8Array | ArrivingPart, string>();

  constructor(parts: ContentsParts) {
    const { clock, feed, node, cacheBytes } = parts;
    this.#parts = parts;
    this.#cache = new ContentCache({
      clock,
      feed,
      node,
      ...(cacheBytes !== undefined && { maxBytes: cacheBytes }),
    });
  }

  /** Identity of the store through which parts may go to other nodes that have it too; `undefined` when there is none. */
  get sharedStore(): string | undefined {
    const { store } = this.#parts;
    return store.capabilities.shared && store.blobs ? store.identity : undefined;
  }

  /**
   * The same value, everything but its streams in memory of the caller's own.
   * @throws {@link RoutineEngineError} `CONTENT_MISSING`, `CONTENT_CORRUPT`; `BYTES_MALFORMED` for a part that the value does not
   *   have; what the store throws.
   */
  load(value: Encoded, options?: StoreCallOptions): Promise<Encoded> {
    return this.#loaded({ ...snapshot(value), isOwn: true }, (blob) => readWhole(blob, options));
  }

  /** As {@link Contents.load}, in memory that all runs of this process share: read-only, and over shared buffers. */
  loadShared(value: Encoded, options?: StoreCallOptions): Promise<Encoded> {
    return this.#loaded(value, (blob) => this.#cache.load(blob, options?.signal));
  }

  /**
   * The same value with its large parts in the store, as blobs. Each is there when this resolves. Without a store that
   * keeps blobs it stays as it is. Nobody may change the parts afterwards. Those that are still arriving are stored meanwhile.
   * @throws what the store throws; why a part did not arrive.
   */
  async share(value: Encoded, options?: StoreCallOptions): Promise<Encoded> {
    const { blobs: store } = this.#parts.store;
    if (!store) return value;
    const large = partsToShare(value);
    if (large.size === 0) return value;
    const parts = [value.head, ...value.buffers];
    const blobs = new Map(value.blobs);
    for (const [part, bytes] of large) {
      const known = this.#shared.get(bytes);
      const source = bytes instanceof ArrivingPart ? bytes.chunks() : bytes;
      // Also what was put before: it may have gone since.
      const kept = await store.put(source, { ...options, ...(known !== undefined && { digest: known }) });
      const blob = known === undefined ? this.#told(kept) : kept.blob;
      this.#shared.set(bytes, blob.digest);
      blobs.set(part, blob);
      parts[part] = EMPTY;
    }
    const [head = EMPTY, ...buffers] = parts;
    return { head, buffers, streams: value.streams, blobs };
  }

  /**
   * Parts of a value that a peer left in the store that it shares with this node.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE` for another store, `CONTENT_MISSING`; what the store
   *   throws.
   */
  async open(
    store: string,
    parts: readonly BlobPart[],
    options?: StoreCallOptions,
  ): Promise<ReadonlyMap<number, StoredBlob>> {
    return openBlobs(this.#named(store, 'Parts of a value are'), parts, options);
  }

  /**
   * Puts a stream where it may be read any number of times: in the store, else in the spool. One of at most
   * `LIMITS.streamInMemoryBytes` comes back in memory of its own.
   * @throws what the stream throws; what store or spool throws.
   */
  async spool(
    chunks: AsyncIterable<Uint8Array>,
    options?: StoreCallOptions,
  ): Promise<StoredBlob | Uint8Array> {
    const read = await shortOrRest(untilAborted(chunks, options?.signal), LIMITS.streamInMemoryBytes);
    if (read instanceof Uint8Array) return read;
    const { store, spool } = this.#parts;
    return store.blobs ? this.#told(await store.blobs.put(read, options)) : spool.put(read, options);
  }

  /**
   * The result that a reference stands for; its large parts stay in the store until they are read.
   * @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE`, `CONTENT_MISSING`; what the store throws.
   */
  async resolve(reference: ReferenceData, options?: StoreCallOptions): Promise<Encoded> {
    const { routineId, key } = reference;
    const store = this.#named(reference.store, `The result of ${routineId} that a reference names is`);
    const found = await store.get(key, options);
    if (found) return storedValue(store, found, options);
    throw new RoutineEngineError(
      'REFERENCE_UNREACHABLE',
      `The store ${store.identity} no longer has the result ${key} of ${routineId}: have it computed again, ` +
        'by the call that gave the reference',
    );
  }

  /** @throws {@link RoutineEngineError} `REFERENCE_UNREACHABLE` when a reference names a store that this node does not have. */
  assertStore({ store, routineId }: ReferenceData): void {
    this.#named(store, `The result of ${routineId} that a reference names is`);
  }

  /** As {@link Contents.resolve}, everything but its streams in memory that all runs of this process share. */
  async fetch(reference: ReferenceData, options?: StoreCallOptions): Promise<Encoded> {
    return this.loadShared(await this.resolve(reference, options), options);
  }

  #named(identity: string, what: string): ResultStore {
    const { store, node } = this.#parts;
    if (store.identity === identity) return store;
    throw new RoutineEngineError(
      'REFERENCE_UNREACHABLE',
      `${what} in the store ${identity}, and ${node} has the store ${store.identity}: give both nodes the same store`,
    );
  }

  async #loaded(value: Encoded, load: (blob: StoredBlob) => Promise<Uint8Array>): Promise<Encoded> {
    const { blobs, streams = 0, isOwn } = value;
    if (!blobs) return value;
    const parts = [value.head, ...value.buffers];
    assertParts(blobs, parts.length);
    if (isLoaded(value)) return value;
    const first = parts.length - streams;
    const left = new Map<number, StoredBlob>();
    await Promise.all(
      [...blobs].map(async ([part, blob]) => {
        if (part >= first) left.set(part, blob);
        else parts[part] = await load(blob);
      }),
    );
    const [head = EMPTY, ...buffers] = parts;
    return { head, buffers, streams, isOwn, ...(left.size > 0 && { blobs: left }) };
  }

  #told({ blob, outcome }: KeptBlob): StoredBlob {
    const { feed, clock, node, store } = this.#parts;
    const { digest, byteLength } = blob;
    if (feed.observed)
      feed.emit({
        type: 'content.stored',
        at: clock.now(),
        node,
        digest,
        byteLength,
        store: store.name,
        outcome,
      });
    return blob;
  }
}

/** The large parts that are in no store, by number, in the order in which they arrive. */
function partsToShare({ head, buffers, blobs }: Encoded): Map<number, Uint8Array | ArrivingPart> {
  const large = new Map<number, Uint8Array | ArrivingPart>();
  for (const [part, bytes] of [head, ...buffers].entries()) {
    const blob = blobs?.get(part);
    if (blob instanceof ArrivingPart) large.set(part, blob);
    else if (bytes.byteLength >= LIMITS.blobBytes) large.set(part, bytes);
  }
  return large;
}

function assertParts(blobs: ReadonlyMap<number, StoredBlob>, count: number): void {
  for (const part of blobs.keys()) {
    if (part >= count)
      throw new RoutineEngineError(
        'BYTES_MALFORMED',
        `A value of ${count} parts has none of the number ${part}`,
      );
  }
}

const EMPTY = new Uint8Array(0);
