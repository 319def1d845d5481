import { dirname } from 'node:path';
import { type EventFeed, RoutineEngineError, type StoreEvent } from '@routine-engine/core/adapter';
import {
  createFile,
  isCode,
  lstat,
  readdir,
  rename,
  setTimes,
  storeError,
  syncDirectory,
  unlink,
} from './file-access.js';
import type { Layout } from './layout.js';
import type { DamagedFile } from './read-result.js';
import { publish } from './write-result.js';

/** What a {@link StorePlace} is made of. */
export interface StorePlaceParts {
  readonly layout: Layout;
  readonly feed: EventFeed<StoreEvent>;
  /** Name of the store, for events. */
  readonly store: string;
  /** Whether what is kept is to outlast a power cut. */
  readonly fsync: boolean;
  readonly now: () => number;
  readonly node: string;
}

/** A file that is being written under a name that nobody looks for. */
export interface NewFile {
  readonly file: number;
  readonly path: string;
}

/** What results and blobs do alike with the files of a directory. `doing` is such as `keep the result ab…`, for errors. */
export class StorePlace {
  readonly layout: Layout;
  readonly fsync: boolean;
  readonly now: () => number;
  readonly #parts: StorePlaceParts;
  #closed = false;

  constructor(parts: StorePlaceParts) {
    this.#parts = parts;
    this.layout = parts.layout;
    this.fsync = parts.fsync;
    this.now = parts.now;
  }

  /** From now on everything is refused. */
  close(): void {
    this.#closed = true;
  }

  /** @throws {@link RoutineEngineError} `STORE_CLOSED`. */
  refuseClosed(): void {
    if (!this.#closed) return;
    const { store, layout } = this.#parts;
    const message = `The store ${store}:${layout.root} is closed; open a new one on the same directory`;
    throw new RoutineEngineError('STORE_CLOSED', message);
  }

  /** Whether there is a file. What has its name but is no file, or not as long as it must be, is moved out of the way. */
  async isThere(doing: string, key: string, path: string, byteLength?: number): Promise<boolean> {
    const stat = await unlessMissing(doing, path, lstat(path));
    if (!stat) return false;
    const { ino, size } = stat;
    const isOfLength = byteLength === undefined || size === byteLength;
    if (stat.isFile() && isOfLength) return true;
    const damage = stat.isFile() ? `has ${size} bytes, not ${byteLength}` : 'is not a file';
    await this.putAside(key, path, { damage, ino });
    return false;
  }

  /** Says that a file was put just now. @returns `false` when there is none. */
  async renew(doing: string, path: string): Promise<boolean> {
    const seconds = this.now() / 1000;
    const renewed = setTimes(path, seconds, seconds).then(() => true);
    return (await unlessMissing(doing, path, renewed)) ?? false;
  }

  /**
   * Writes a new file and gives it its name, unless there is one of that name; that one counts as put just now.
   * @param write - writes and closes it. @returns the path that it is to have.
   */
  async keep(
    doing: string,
    signal: AbortSignal | undefined,
    write: (file: NewFile) => Promise<string>,
  ): Promise<'stored' | 'present'> {
    const temporary = this.layout.newTemporary();
    try {
      const file = await orStoreError(
        doing,
        temporary,
        this.inPlace(() => createFile(temporary)),
      );
      const path = await write({ file, path: temporary });
      signal?.throwIfAborted();
      for (;;) {
        const published = this.inPlace(async () => {
          await this.layout.makeShardOf(path);
          return publish(temporary, path);
        });
        const outcome = await orStoreError(doing, path, published);
        // Somebody may delete the one that was there meanwhile; then this one is needed after all.
        if (outcome === 'stored' || (await this.renew(doing, path))) return outcome;
      }
    } finally {
      // What became of the put is settled; a temporary file that cannot be removed now goes when a store is opened later.
      await Promise.allSettled([unlink(temporary)]);
    }
  }

  /** @returns whether there was a file. */
  async remove(doing: string, key: string, path: string): Promise<boolean> {
    if (!(await this.isThere(doing, key, path))) return false;
    const removed = unlink(path).then(() => true);
    const there = (await unlessMissing(doing, path, removed)) ?? false;
    if (there) await this.syncNames(doing, path);
    return there;
  }

  /** Has the name of a file outlast a power cut. */
  async syncNames(doing: string, path: string): Promise<void> {
    if (!this.fsync) return;
    // Missing when somebody emptied the place since: then there is no name to keep.
    await unlessMissing(doing, path, syncDirectory(dirname(path)));
  }

  /** Moves a damaged file to where nobody looks for it, and tells. */
  async putAside(key: string, path: string, { damage, ino }: DamagedFile): Promise<void> {
    const aside = this.layout.newCorrupt(key);
    let outcome = `it is now ${aside}`;
    try {
      // Another reader may have put it aside since, and a writer a good one in its place.
      const moved = this.inPlace(async () => {
        const isOther = ino !== undefined && (await lstat(path)).ino !== ino;
        if (!isOther) await rename(path, aside);
        return !isOther;
      });
      if (!(await moved)) return;
    } catch (error) {
      if (isCode(error, 'ENOENT')) return;
      outcome = storeError('put it aside', path, error).message;
    }
    const { feed, node, store } = this.#parts;
    if (!feed.observed) return;
    const detail = `${path} ${damage}; ${outcome}`;
    feed.emit({ type: 'store.corrupt', at: this.now(), node, store, key, detail });
  }

  /** The names in a directory; none when it is not there. */
  async namesIn(directory: string): Promise<string[]> {
    return (await unlessMissing('list what is kept', directory, readdir(directory))) ?? [];
  }

  /** Does it again when a directory was missing: somebody may empty the place while it is in use. */
  async inPlace<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      if (!isCode(error, 'ENOENT')) throw error;
    }
    this.layout.prepare();
    return operation();
  }
}

/** What came of an operation; `undefined` when there was no such file. Other failures become the port's errors. */
export async function unlessMissing<T>(
  doing: string,
  path: string,
  operation: Promise<T>,
): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw storeError(doing, path, error);
  }
}

/** What came of an operation; its failures become the port's errors. */
export async function orStoreError<T>(doing: string, path: string, operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (error) {
    throw error instanceof RoutineEngineError ? error : storeError(doing, path, error);
  }
}
