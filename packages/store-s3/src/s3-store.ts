import {
  assertResultKey,
  type BlobStore,
  EventFeed,
  type LeaseStore,
  type ResultEntry,
  type ResultKey,
  type ResultMetadata,
  type ResultStore,
  type StoreCallOptions,
  type SweepOptions,
  type SweptAmount,
  type StoredResult,
  type StoreEvent,
  unlessAborted,
} from '@routine-engine/core/adapter';
import type { S3Client } from '@aws-sdk/client-s3';
import type { Observable } from 'rxjs';
import { followerOf } from './abort.js';
import { ObjectStore } from './object-store.js';
import { Damage } from './damage.js';
import { dataNameOf } from './entry-format.js';
import type { FoundEntry } from './entries.js';
import { chunksOf } from './read-object.js';
import { readParts } from './read-parts.js';
import { S3Blobs } from './s3-blobs.js';
import { S3Leases } from './s3-leases.js';
import type { S3StoreOptions } from './s3-options.js';
import { openPlace } from './s3-client.js';
import { S3Place } from './s3-place.js';
import { sweep } from './sweep.js';
import { UnfinishedUploads } from './unfinished-uploads.js';
import { keepResult } from './write-result.js';

/** How an {@link S3Store} is set up. @public */
export interface S3StoreSettings extends S3StoreOptions {
  /** Tells the time, in milliseconds since 1970 (UTC). */
  readonly now: () => number;
  /** Name of this node, for events. */
  readonly node: string;
}

/**
 * Keeps results in a bucket of Amazon S3, or of a server that speaks its protocol, for any number of processes at once. What
 * an object holds is specified in the README; a cut or changed one is found by its digest, put aside and counts as a miss.
 *
 * A body that {@link S3Store.get} gives is in memory. Every part of it begins at a multiple of 8 of its ArrayBuffer, so
 * that typed arrays of any kind can be views of it.
 * @public
 */
export class S3Store implements ResultStore {
  readonly name = 's3';
  readonly identity: string;
  readonly capabilities = { durable: true, shared: true } as const;
  readonly events$: Observable<StoreEvent>;
  readonly blobs: BlobStore;
  readonly leases: LeaseStore;

  readonly #place: S3Place;
  readonly #feed = new EventFeed<StoreEvent>();
  /** The client, when it is this store's own. */
  readonly #ownClient: S3Client | undefined;
  #closed: Promise<void> | undefined;

  /**
   * Asks nothing of the server yet.
   * @throws {@link RoutineEngineError} `OPTION_INVALID`.
   */
  constructor(settings: S3StoreSettings) {
    const { now, node } = settings;
    const { identity, isOwn, ...bucket } = openPlace(settings);
    const { name: store } = this;
    this.identity = identity;
    this.#ownClient = isOwn ? bucket.client : undefined;
    this.#place = new S3Place({
      bucket: new ObjectStore(bucket),
      uploads: new UnfinishedUploads(bucket),
      feed: this.#feed,
      store,
      identity,
      now,
      node,
    });
    this.blobs = new S3Blobs(this.#place);
    this.leases = new S3Leases(this.#place);
    this.events$ = this.#feed.events$;
  }

  async get(key: ResultKey, options?: StoreCallOptions): Promise<StoredResult | undefined> {
    this.#admit(key);
    const signal = followerOf(options?.signal);
    signal?.throwIfAborted();
    return unlessAborted(
      this.#place.looks.run(() => this.#get(key, signal)),
      signal,
    );
  }

  async put(key: ResultKey, result: StoredResult, options?: StoreCallOptions): Promise<'stored' | 'present'> {
    this.#admit(key);
    const signal = followerOf(options?.signal);
    signal?.throwIfAborted();
    const gate = result.body.parts ? this.#place.writes : this.#place.streams;
    return unlessAborted(
      gate.run(() => keepResult(this.#place, key, result, signal)),
      signal,
    );
  }

  async has(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    return this.#place.looks.run(() => this.#place.results.has(key, `look for the result ${key}`));
  }

  async delete(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    const doing = `delete the result ${key}`;
    return this.#place.looks.run(async () => {
      // First: a delete that is cut off must not leave a pin for the next result of that key.
      await this.#place.bucket.remove(pinOf(key), doing);
      const removed = await this.#place.results.remove(key, doing);
      // One that was made meanwhile.
      if (removed) await this.#place.bucket.remove(pinOf(key), doing);
      return removed;
    });
  }

  async *list(): AsyncGenerator<ResultEntry> {
    const doing = 'list the results';
    const pins = await this.#pins(doing);
    for await (const { key, metadata, byteLength } of this.#place.list(this.#place.results, doing)) {
      yield { key, metadata: metadata as ResultMetadata, byteLength, pinned: pins.has(pinOf(key)) };
    }
  }

  async pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    this.#admit(key);
    const doing = pinned ? `pin the result ${key}` : `unpin the result ${key}`;
    const { bucket, looks, results } = this.#place;
    return looks.run(async () => {
      const isThere = await results.has(key, doing);
      if (!pinned) await bucket.remove(pinOf(key), doing);
      else if (isThere) await bucket.put(pinOf(key), doing, new Uint8Array(0));
      return isThere;
    });
  }

  async sweep(options: SweepOptions = {}): Promise<SweptAmount> {
    this.#place.refuseClosed();
    const signal = followerOf(options.signal);
    signal?.throwIfAborted();
    const sweeping = this.#place.streams.run(() =>
      sweep(this.#place, { ...options, ...(signal && { signal }) }),
    );
    return unlessAborted(sweeping, signal);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await this.#place.close();
    this.#ownClient?.destroy();
    this.#feed.complete();
  }

  async #get(key: ResultKey, signal: AbortSignal | undefined): Promise<StoredResult | undefined> {
    const { results } = this.#place;
    const doing = `read the result ${key}`;
    for (let attempt = 1; ; attempt += 1) {
      let entry: FoundEntry | undefined;
      try {
        entry = await results.find(key, doing, { whole: true, signal });
        return entry && (await this.#read(entry, doing, signal));
      } catch (error) {
        if (!(error instanceof Damage)) throw error;
        if (!entry) return undefined;
        // Once more: bytes may have been changed on their way, or another result put in its place.
        if (attempt === 1) continue;
        await results.putAside(key, error.message, entry);
        return undefined;
      }
    }
  }

  async #read(entry: FoundEntry, doing: string, signal: AbortSignal | undefined): Promise<StoredResult> {
    const { id, digest, byteLength, content } = entry;
    // Every entry of a result that could be read has both.
    const { sizes, metadata } = entry as Required<FoundEntry>;
    if (content) return { metadata, body: await readParts(sizes, undefined, [content]) };
    const reading = { bucket: this.#place.bucket, name: dataNameOf(id), doing, byteLength, signal };
    return { metadata, body: await readParts(sizes, digest, chunksOf(reading)) };
  }

  async #pins(doing: string): Promise<Set<string>> {
    this.#place.refuseClosed();
    return this.#place.looks.run(async () => {
      const pins = new Set<string>();
      for await (const { name } of this.#place.bucket.list(pinOf(''), doing)) pins.add(name);
      return pins;
    });
  }

  #admit(key: ResultKey): void {
    this.#place.refuseClosed();
    assertResultKey(key);
  }
}

function pinOf(key: string): string {
  return `pins/${key}`;
}
