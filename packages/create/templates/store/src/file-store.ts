import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rm, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import {
  assertResultKey,
  EventFeed,
  RoutineEngineError,
  type Clock,
  type ResultEntry,
  type ResultKey,
  type ResultStore,
  type StoreCallOptions,
  type StoredResult,
  type StoreEvent,
} from '@routine-engine/core/adapter';
import { fileOf, resultOf } from './result-file.js';

/** How a {@link FileStore} is set up. */
export interface FileStoreParts {
  /** Absolute path. */
  readonly directory: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Name of this node, for events. */
  readonly node: string;
}

/** Keeps each result in a file of its own: `KEY.result`, and beside it an empty `KEY.pin` for one that is to stay. */
export class FileStore implements ResultStore {
  readonly name = 'file';
  readonly identity: string;
  readonly capabilities = { durable: true, shared: true } as const;
  readonly #parts: FileStoreParts;
  readonly #feed = new EventFeed<StoreEvent>();
  readonly #working = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  readonly events$ = this.#feed.events$;

  constructor(parts: FileStoreParts) {
    this.#parts = parts;
    this.identity = `file:${parts.directory}`;
  }

  get(key: ResultKey, { signal }: StoreCallOptions = {}): Promise<StoredResult | undefined> {
    return this.#work(key, async () => {
      signal?.throwIfAborted();
      return this.#read(key);
    });
  }

  put(
    key: ResultKey,
    result: StoredResult,
    { signal }: StoreCallOptions = {},
  ): Promise<'stored' | 'present'> {
    return this.#work(key, async () => {
      signal?.throwIfAborted();
      return this.#write(key, await fileOf(result, signal));
    });
  }

  has(key: ResultKey): Promise<boolean> {
    return this.#work(key, async () => (await this.#names()).has(`${key}.result`));
  }

  delete(key: ResultKey): Promise<boolean> {
    return this.#work(key, async () => {
      const isThere = await this.#ask(() => removed(this.#path(`${key}.result`)));
      await this.#ask(() => removed(this.#path(`${key}.pin`)));
      return isThere;
    });
  }

  pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    return this.#work(key, async () => {
      if (!(await this.#names()).has(`${key}.result`)) return false;
      const path = this.#path(`${key}.pin`);
      if (pinned) await this.#ask(async () => (await open(path, 'w')).close());
      else await this.#ask(() => removed(path));
      return true;
    });
  }

  async *list(): AsyncGenerator<ResultEntry> {
    this.#admit();
    const names = await this.#names();
    for (const name of names) {
      const [, key] = /^([0-9a-f]{64})\.result$/.exec(name) ?? [];
      const result = key === undefined ? undefined : await this.get(key);
      if (key === undefined || !result) continue;
      const { metadata, body } = result;
      yield { key, metadata, byteLength: body.byteLength, pinned: names.has(`${key}.pin`) };
    }
    this.#admit();
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#working);
    this.#feed.complete();
  }

  async #read(key: ResultKey): Promise<StoredResult | undefined> {
    const path = this.#path(`${key}.result`);
    const file = await this.#ask(() => unlessMissing(readFile(path)));
    if (!file) return undefined;
    const result = resultOf(file);
    if (result) return result;
    // A miss: it is computed again.
    await this.#ask(() => removed(path));
    const { clock, node } = this.#parts;
    const detail = 'its bytes are not those that were put';
    this.#feed.emit({ type: 'store.corrupt', at: clock.now(), node, store: this.name, key, detail });
    return undefined;
  }

  /** Under a name of its own first: the link is there at once with all of it, or somebody else was first. */
  #write(key: ResultKey, bytes: Uint8Array): Promise<'stored' | 'present'> {
    return this.#ask(async () => {
      await mkdir(this.#parts.directory, { recursive: true });
      const own = this.#path(`${randomUUID()}.new`);
      try {
        await writeThrough(own, bytes);
        await link(own, this.#path(`${key}.result`));
        await syncFolder(this.#parts.directory);
        return 'stored';
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EEXIST') return 'present';
        throw error;
      } finally {
        await rm(own, { force: true });
      }
    });
  }

  async #names(): Promise<ReadonlySet<string>> {
    const names = await this.#ask(() => unlessMissing(readdir(this.#parts.directory)));
    return new Set(names);
  }

  #path(name: string): string {
    return join(this.#parts.directory, name);
  }

  /** What is under way, so that `close` waits for it. */
  async #work<T>(key: ResultKey, job: () => Promise<T>): Promise<T> {
    this.#admit(key);
    const working = job();
    this.#working.add(working);
    try {
      return await working;
    } finally {
      this.#working.delete(working);
    }
  }

  async #ask<T>(question: () => Promise<T>): Promise<T> {
    try {
      return await question();
    } catch (cause) {
      const message = `${this.identity}: ${(cause as Error).message}`;
      throw new RoutineEngineError('STORE_UNREACHABLE', message, { cause });
    }
  }

  #admit(key?: ResultKey): void {
    if (this.#closed) throw new RoutineEngineError('STORE_CLOSED', `The store ${this.identity} is closed`);
    if (key !== undefined) assertResultKey(key);
  }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** @returns whether there was one. */
async function removed(path: string): Promise<boolean> {
  return (await unlessMissing(unlink(path).then(() => true))) ?? false;
}

async function writeThrough(path: string, bytes: Uint8Array): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** So that the name outlasts a power cut as well. */
async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
