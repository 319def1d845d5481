import { dirname } from 'node:path';
import type {
  ResultEntry,
  ResultKey,
  ResultStore,
  StoredResult,
  StoreEvent,
  StoreCallOptions,
} from '@routine-engine/core/adapter';
import { assertResultKey, EventFeed, RoutineEngineError } from '@routine-engine/core/adapter';
import type { Observable } from 'rxjs';
import {
  createFile,
  isCode,
  lstat,
  readdir,
  rename,
  storeError,
  syncDirectory,
  unlink,
} from './file-access.js';
import { Gate } from './gate.js';
import { Layout } from './layout.js';
import { type DamagedFile, readEntry, readResult } from './read-result.js';
import { publish, writeResult } from './write-result.js';

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
}

/** Files open for reading at once: enough to keep the disk busy, few enough for any limit of open files. */
const READS_AT_ONCE = 128;
/** Results in memory written at once. Those that come in chunks are not counted: one could wait for another. */
const WRITES_AT_ONCE = 16;
/** Headers read at once while listing. */
const LISTED_AT_ONCE = 32;

/**
 * Keeps results in a directory, one file a result, for any number of processes at once. What a file holds is
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

  readonly #settings: FsStoreSettings;
  readonly #layout: Layout;
  readonly #feed = new EventFeed<StoreEvent>();
  readonly #reads = new Gate(READS_AT_ONCE);
  readonly #writes = new Gate(WRITES_AT_ONCE);
  readonly #streams = new Gate(Infinity);
  #closed: Promise<void> | undefined;

  /**
   * Makes the directory when it is not there, and removes temporary files that nobody wrote to for an hour.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE` or `STORE_FULL` when the directory cannot be used.
   */
  constructor(settings: FsStoreSettings) {
    this.#settings = settings;
    this.#layout = new Layout(settings.dir, settings.fsync, settings.now());
    this.identity = `fs:${this.#layout.root}`;
    this.events$ = this.#feed.events$;
  }

  async get(key: ResultKey, options?: StoreCallOptions): Promise<StoredResult | undefined> {
    const path = this.#admit(key);
    const signal = options?.signal;
    signal?.throwIfAborted();
    const turn = this.#reads.enter();
    if (turn) await turn;
    try {
      const found = await readResult(path, key, signal);
      if ('body' in found) return found;
      await this.#putAside(key, path, found);
    } catch (error) {
      signal?.throwIfAborted();
      if (!isCode(error, 'ENOENT')) throw storeError(`read the result ${key}`, path, error);
    } finally {
      this.#reads.leave();
    }
    return undefined;
  }

  async put(key: ResultKey, result: StoredResult, options?: StoreCallOptions): Promise<'stored' | 'present'> {
    const path = this.#admit(key);
    options?.signal?.throwIfAborted();
    const gate = result.body.parts ? this.#writes : this.#streams;
    return gate.run(async () => {
      const outcome = (await this.#isThere(key, path))
        ? 'present'
        : await this.#write(key, path, result, options);
      // Also for one that was present: who put it may not have come to this yet, and it counts as kept from now on.
      await this.#syncNames(key, path);
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
      const removed = unlink(path).then(() => true);
      const there = (await unlessMissing(`delete the result ${key}`, path, removed)) ?? false;
      if (there) await this.#syncNames(key, path);
      return there;
    });
  }

  async *list(): AsyncGenerator<ResultEntry> {
    for (const shard of this.#layout.shardsIn(await this.#namesIn(this.#layout.results))) {
      const names = await this.#namesIn(shard);
      const keys = names.map((name) => this.#layout.keyIn(shard, name)).filter((key) => key !== undefined);
      for (let at = 0; at < keys.length; at += LISTED_AT_ONCE) {
        this.#refuseClosed();
        const entries = await Promise.all(keys.slice(at, at + LISTED_AT_ONCE).map((key) => this.#entry(key)));
        for (const entry of entries) if (entry) yield entry;
      }
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await Promise.all([this.#reads, this.#writes, this.#streams].map((gate) => gate.idle()));
    this.#feed.complete();
  }

  /** Whether the key has a result already. What has its name but is no file is moved out of the way. */
  async #isThere(key: ResultKey, path: string): Promise<boolean> {
    const stat = await unlessMissing(`look for the result ${key}`, path, lstat(path));
    if (!stat || stat.isFile()) return stat !== undefined;
    await this.#putAside(key, path, { damage: 'is not a file', ino: stat.ino });
    return false;
  }

  async #write(
    key: ResultKey,
    path: string,
    result: StoredResult,
    options: StoreCallOptions | undefined,
  ): Promise<'stored' | 'present'> {
    const doing = `keep the result ${key}`;
    const signal = options?.signal;
    const temporary = this.#layout.newTemporary();
    try {
      const file = await orStoreError(
        doing,
        temporary,
        this.#inPlace(() => createFile(temporary)),
      );
      await writeResult({ file, path: temporary }, key, result, { durable: this.#settings.fsync, signal });
      signal?.throwIfAborted();
      const published = this.#inPlace(async () => {
        await this.#layout.makeShard(key);
        return publish(temporary, path);
      });
      return await orStoreError(doing, path, published);
    } finally {
      // What became of the put is settled; a temporary file that cannot be removed now goes when a store is opened later.
      await Promise.allSettled([unlink(temporary)]);
    }
  }

  /** Does it again when a directory was missing: somebody may empty the place while it is in use. */
  async #inPlace<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
    this.#layout.prepare();
    return operation();
  }

  async #syncNames(key: ResultKey, path: string): Promise<void> {
    if (!this.#settings.fsync) return;
    // Missing when somebody emptied the place since: then there is no name to keep.
    await unlessMissing(`keep the result ${key}`, path, syncDirectory(dirname(path)));
  }

  async #putAside(key: ResultKey, path: string, { damage, ino }: DamagedFile): Promise<void> {
    const aside = this.#layout.newCorrupt(key);
    let outcome = `it is now ${aside}`;
    try {
      // Another reader may have put it aside since, and a writer a good one in its place.
      const moved = this.#inPlace(async () => {
        const isOther = ino !== undefined && (await lstat(path)).ino !== ino;
        if (!isOther) await rename(path, aside);
        return !isOther;
      });
      if (!(await moved)) return;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return;
      outcome = storeError('put it aside', path, error).message;
    }
    if (!this.#feed.observed) return;
    const { now, node } = this.#settings;
    const detail = `${path} ${damage}; ${outcome}`;
    this.#feed.emit({ type: 'store.corrupt', at: now(), node, store: this.name, key, detail });
  }

  async #namesIn(directory: string): Promise<string[]> {
    this.#refuseClosed();
    return this.#reads.run(
      async () => (await unlessMissing('list the results', directory, readdir(directory))) ?? [],
    );
  }

  /** Nothing when it has gone since, or is damaged: a get will tell. */
  async #entry(key: ResultKey): Promise<ResultEntry | undefined> {
    const path = this.#layout.pathOf(key);
    return this.#reads.run(async () => {
      const entry = await unlessMissing(`list the result ${key}`, path, readEntry(path, key));
      return entry && 'key' in entry ? entry : undefined;
    });
  }

  #admit(key: ResultKey): string {
    this.#refuseClosed();
    assertResultKey(key);
    return this.#layout.pathOf(key);
  }

  #refuseClosed(): void {
    if (!this.#closed) return;
    const message = `The store ${this.identity} is closed; open a new one on the same directory`;
    throw new RoutineEngineError('STORE_CLOSED', message);
  }
}

async function orStoreError<T>(doing: string, path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw error instanceof RoutineEngineError ? error : storeError(doing, path, error);
  }
}

async function unlessMissing<T>(doing: string, path: string, operation: Promise<T>): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw storeError(doing, path, error);
  }
}
