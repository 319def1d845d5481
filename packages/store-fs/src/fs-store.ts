import type {
  BlobStore,
  LeaseStore,
  ResultEntry,
  ResultKey,
  ResultStore,
  StoredResult,
  StoreEvent,
  StoreCallOptions,
  SweepOptions,
  SweptAmount,
} from '@routine-engine/core/adapter';
import { assertResultKey, EventFeed, Gate, unlessAborted } from '@routine-engine/core/adapter';
import type { Observable } from 'rxjs';
import { isCode, lstat, storeError } from './file-access.js';
import { FsBlobs } from './fs-blobs.js';
import { FsLeases } from './fs-leases.js';
import { Layout } from './layout.js';
import { Leftovers } from './leftovers.js';
import { Pins } from './pins.js';
import { type DamagedFile, readEntry, readResult } from './read-result.js';
import { StorePlace, unlessMissing } from './store-place.js';
import { writeResult } from './write-result.js';

/** How an {@link FsStore} is set up. @public */
export interface FsStoreSettings {
  /** Where the results are. Made, with everything above it, when it is not there. */
  readonly dir: string;
  /** Whether a put waits until its result would outlast a power cut. */
  readonly fsync: boolean;
  /** Tells the time, in milliseconds since 1970 (UTC). */
  readonly now: () => number;
  /** Name of this node, for events. */
  readonly node: string;
  /** Whether the processes that use the directory agree on who computes a result. Default `true`. */
  readonly leases?: boolean;
}

/** Files open for reading at once: enough to keep the disk busy, few enough for any limit of open files. */
const READS_AT_ONCE = 128;
/** Results in memory written at once. Those that come in chunks are not counted: one could wait for another. */
const WRITES_AT_ONCE = 16;
/** Headers read at once while listing. */
const LISTED_AT_ONCE = 32;

/**
 * Keeps results in a directory, one file a result or blob, for any number of processes at once. What a file holds is
 * specified in the README; a cut or changed one is found by its digest, put aside and counts as a miss.
 *
 * A body that {@link FsStore.get} gives is in memory. Every part of it begins at a multiple of 8 of its ArrayBuffer, so
 * that typed arrays of any kind can be views of it.
 * @public
 */
export class FsStore implements ResultStore {
  readonly name = 'fs';
  readonly identity: string;
  readonly capabilities = { durable: true, shared: true } as const;
  readonly events$: Observable<StoreEvent>;
  readonly blobs: BlobStore;
  readonly leases?: LeaseStore;

  readonly #place: StorePlace;
  readonly #blobs: FsBlobs;
  readonly #leases: FsLeases;
  readonly #pins: Pins;
  readonly #leftovers: Leftovers;
  readonly #feed = new EventFeed<StoreEvent>();
  readonly #reads = new Gate(READS_AT_ONCE);
  readonly #writes = new Gate(WRITES_AT_ONCE);
  readonly #streams = new Gate(Infinity);
  #closed: Promise<void> | undefined;

  /**
   * Makes the directory when it is not there, and begins to remove what processes that died left in it.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE` or `STORE_FULL` when the directory cannot be used.
   */
  constructor(settings: FsStoreSettings) {
    const { dir, fsync, now, node, leases = true } = settings;
    const layout = new Layout(dir, fsync);
    this.#place = new StorePlace({ layout, feed: this.#feed, store: this.name, fsync, now, node });
    this.#blobs = new FsBlobs(this.#place);
    this.blobs = this.#blobs;
    this.#leases = new FsLeases(this.#place);
    if (leases) this.leases = this.#leases;
    this.#pins = new Pins(this.#place);
    this.#leftovers = new Leftovers(layout, now);
    // What can't be removed is told to whoever sweeps; nobody needs to know it to open a store.
    void Promise.allSettled([this.#sweep()]);
    this.identity = `fs:${layout.root}`;
    this.events$ = this.#feed.events$;
  }

  // Not async, nor in steps: what a hit takes is promises.
  get(key: ResultKey, options?: StoreCallOptions): Promise<StoredResult | undefined> {
    const signal = options?.signal;
    let path: string;
    try {
      path = this.#admit(key);
      signal?.throwIfAborted();
    } catch (error) {
      return Promise.reject(error);
    }
    const turn = this.#reads.enter();
    return turn ? turn.then(() => this.#read(key, path, signal)) : this.#read(key, path, signal);
  }

  /** Leaves the gate when it is done. */
  #read(key: ResultKey, path: string, signal: AbortSignal | undefined): Promise<StoredResult | undefined> {
    return readResult(
      path,
      key,
      signal,
      (found): StoredResult | undefined | Promise<undefined> => {
        if (!('body' in found)) return this.#putAside(key, path, found);
        this.#reads.leave();
        return found;
      },
      (error) => {
        this.#reads.leave();
        signal?.throwIfAborted();
        if (!isCode(error, 'ENOENT')) throw storeError(`read the result ${key}`, path, error);
        return undefined;
      },
    );
  }

  async #putAside(key: ResultKey, path: string, damaged: DamagedFile): Promise<undefined> {
    try {
      await this.#place.putAside(key, path, damaged);
    } finally {
      this.#reads.leave();
    }
  }

  async put(key: ResultKey, result: StoredResult, options?: StoreCallOptions): Promise<'stored' | 'present'> {
    const path = this.#admit(key);
    options?.signal?.throwIfAborted();
    const gate = result.body.parts ? this.#writes : this.#streams;
    const doing = `keep the result ${key}`;
    return gate.run(async () => {
      const outcome = (await this.#place.isThere(doing, key, path))
        ? 'present'
        : await this.#place.keep(doing, options?.signal, async (file) => {
            const durable = this.#place.fsync;
            await writeResult(file, key, result, { durable, signal: options?.signal });
            return path;
          });
      // Also for one that was present: who put it may not have come to this yet, and it counts as kept from now on.
      await this.#place.syncNames(doing, path);
      return outcome;
    });
  }

  async has(key: ResultKey): Promise<boolean> {
    const path = this.#admit(key);
    return this.#reads.run(async () => {
      const stat = await unlessMissing(`look for the result ${key}`, path, lstat(path));
      return stat?.isFile() ?? false;
    });
  }

  async delete(key: ResultKey): Promise<boolean> {
    const path = this.#admit(key);
    return this.#writes.run(async () => {
      // First: a delete that is cut off must not leave a pin for the next result of that key.
      await this.#pins.remove(key);
      const there = await this.#place.remove(`delete the result ${key}`, key, path);
      // One that was made meanwhile.
      await this.#pins.forget(key);
      return there;
    });
  }

  async pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    this.#admit(key);
    return this.#writes.run(() => this.#pins.set(key, pinned));
  }

  async *list(): AsyncGenerator<ResultEntry> {
    const { layout } = this.#place;
    this.#place.refuseClosed();
    for (const shard of layout.shardsIn(layout.results, await this.#namesIn(layout.results))) {
      const names = await this.#namesIn(shard);
      const keys = names.map((name) => layout.keyIn(shard, name)).filter((key) => key !== undefined);
      const pinned = new Set(names.map((name) => layout.pinnedIn(shard, name)));
      const there = new Set<ResultKey>();
      for (let at = 0; at < keys.length; at += LISTED_AT_ONCE) {
        this.#place.refuseClosed();
        const some = keys.slice(at, at + LISTED_AT_ONCE).map((key) => this.#entry(key, pinned.has(key)));
        for (const entry of await Promise.all(some)) {
          if (!entry) continue;
          there.add(entry.key);
          yield entry;
        }
      }
      await this.#forgetAll(pinned, there);
    }
  }

  async sweep(options: SweepOptions = {}): Promise<SweptAmount> {
    this.#place.refuseClosed();
    options.signal?.throwIfAborted();
    return unlessAborted(this.#sweep(options), options.signal);
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    this.#place.close();
    const idle = [this.#reads, this.#writes, this.#streams].map((gate) => gate.idle());
    await Promise.all([...idle, this.#blobs.close(), this.#leases.close()]);
    this.#feed.complete();
  }

  #sweep(options?: SweepOptions): Promise<SweptAmount> {
    return this.#streams.run(() => this.#leftovers.sweep(options));
  }

  async #namesIn(directory: string): Promise<string[]> {
    this.#place.refuseClosed();
    return this.#reads.run(() => this.#place.namesIn(directory));
  }

  /** Nothing when it has gone since, or is damaged: then it is put aside. */
  async #entry(key: ResultKey, pinned: boolean): Promise<ResultEntry | undefined> {
    const path = this.#place.layout.pathOf(key);
    return this.#reads.run(async () => {
      const entry = await unlessMissing(`list the result ${key}`, path, readEntry(path, key));
      if (!entry) return undefined;
      if ('key' in entry) return { ...entry, pinned };
      await this.#place.putAside(key, path, entry);
      return undefined;
    });
  }

  /** Forgets the pins of results that are gone: of a delete that was cut off, or of one that was put aside. */
  async #forgetAll(pinned: ReadonlySet<ResultKey | undefined>, there: ReadonlySet<ResultKey>): Promise<void> {
    for (const key of pinned) {
      if (key !== undefined && !there.has(key)) await this.#writes.run(() => this.#pins.forget(key));
    }
  }

  #admit(key: ResultKey): string {
    this.#place.refuseClosed();
    assertResultKey(key);
    return this.#place.layout.pathOf(key);
  }
}
