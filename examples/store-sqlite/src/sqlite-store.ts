import { createHash } from 'node:crypto';
import sqlite from 'node-sqlite3-wasm';
import {
  assertResultKey,
  bodyOf,
  encodedOfParts,
  EventFeed,
  isResultMetadata,
  isSize,
  RoutineEngineError,
  untilAborted,
  type Body,
  type Clock,
  type ResultEntry,
  type ResultKey,
  type ResultStore,
  type StoreCallOptions,
  type StoredResult,
  type StoreEvent,
} from '@routine-engine/core/adapter';

/** How a {@link SqliteStore} is set up. */
export interface SqliteStoreParts {
  /** Absolute path of the database. */
  readonly file: string;
  readonly clock: Pick<Clock, 'now'>;
  /** Name of this node, for events. */
  readonly node: string;
}

/** A row is read and written whole, in the memory of WebAssembly. */
const MOST_BYTES = 256 * 1024 * 1024;
const LIST_ROWS = 100;

/** How long a question waits for other processes, in milliseconds. */
const BUSY_MS = 5_000;

const SCHEMA = `
  PRAGMA busy_timeout = ${BUSY_MS};
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS results (
    key TEXT PRIMARY KEY, metadata TEXT NOT NULL, sizes TEXT NOT NULL, bytes BLOB NOT NULL,
    digest TEXT NOT NULL, pinned INTEGER NOT NULL DEFAULT 0
  );`;

type Row = Readonly<Record<string, unknown>>;

/** Keeps results in a SQLite database, one row each, for any number of processes of one machine. */
export class SqliteStore implements ResultStore {
  readonly name = 'sqlite';
  readonly identity: string;
  readonly capabilities = { durable: true, shared: true } as const;
  readonly #parts: SqliteStoreParts;
  readonly #database: sqlite.Database;
  readonly #feed = new EventFeed<StoreEvent>();
  readonly #putting = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  readonly events$ = this.#feed.events$;

  /** @throws `STORE_UNREACHABLE` when the file can't be used. */
  constructor(parts: SqliteStoreParts) {
    this.#parts = parts;
    this.identity = `sqlite:${parts.file}`;
    this.#database = this.#ask(() => new sqlite.Database(parts.file));
    this.#ask(() => this.#database.exec(SCHEMA));
  }

  async get(key: ResultKey, { signal }: StoreCallOptions = {}): Promise<StoredResult | undefined> {
    this.#admit(key);
    signal?.throwIfAborted();
    const row = this.#row('SELECT metadata, sizes, bytes, digest FROM results WHERE key = ?', key);
    if (!row) return undefined;
    const result = resultOf(row);
    if (!result) this.#discard(key);
    return result;
  }

  async put(
    key: ResultKey,
    result: StoredResult,
    { signal }: StoreCallOptions = {},
  ): Promise<'stored' | 'present'> {
    this.#admit(key);
    signal?.throwIfAborted();
    const putting = this.#put(key, result, signal);
    this.#putting.add(putting);
    try {
      return await putting;
    } finally {
      this.#putting.delete(putting);
    }
  }

  async has(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    return this.#row('SELECT 1 FROM results WHERE key = ?', key) !== undefined;
  }

  async delete(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    return this.#change('DELETE FROM results WHERE key = ?', key) > 0;
  }

  async pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    this.#admit(key);
    return this.#change('UPDATE results SET pinned = ? WHERE key = ?', Number(pinned), key) > 0;
  }

  async *list(): AsyncGenerator<ResultEntry> {
    const columns = 'key, metadata, sizes, length(bytes) AS length, pinned';
    let after = '';
    for (;;) {
      this.#admit();
      const sql = `SELECT ${columns} FROM results WHERE key > ? ORDER BY key LIMIT ${LIST_ROWS}`;
      const rows = this.#ask(() => this.#database.all(sql, [after])) as Row[];
      for (const row of rows) {
        const [key, metadata] = [row['key'] as string, parsed(row['metadata'])];
        after = key;
        const isWhole = isResultMetadata(metadata) && sizesOf(row)?.byteLength === row['length'];
        if (isWhole)
          yield { key, metadata, byteLength: row['length'] as number, pinned: row['pinned'] === 1 };
        else this.#discard(key);
        this.#admit();
      }
      if (rows.length < LIST_ROWS) return;
    }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close());
  }

  async #close(): Promise<void> {
    await Promise.allSettled(this.#putting);
    this.#database.close();
    this.#feed.complete();
  }

  async #put(
    key: ResultKey,
    { metadata, body }: StoredResult,
    signal?: AbortSignal,
  ): Promise<'stored' | 'present'> {
    if (body.byteLength > MOST_BYTES) {
      const message = `The result ${key} has ${body.byteLength} bytes; ${this.identity} keeps ${MOST_BYTES} in one`;
      throw new RoutineEngineError('STORE_FULL', message);
    }
    const bytes = await wholeOf(body, signal);
    // Of two writers the first wins; all of it is there at once, or nothing.
    const sql = 'INSERT OR IGNORE INTO results (key, metadata, sizes, bytes, digest) VALUES (?, ?, ?, ?, ?)';
    const values = [JSON.stringify(metadata), JSON.stringify(body.sizes), bytes];
    return this.#change(sql, key, ...values, digestOf(...values)) > 0 ? 'stored' : 'present';
  }

  /** Removes what is damaged: it counts as a miss, and is computed again. */
  #discard(key: ResultKey): void {
    this.#change('DELETE FROM results WHERE key = ?', key);
    const { clock, node } = this.#parts;
    const detail = 'its bytes are not those that were put';
    this.#feed.emit({ type: 'store.corrupt', at: clock.now(), node, store: this.name, key, detail });
  }

  #row(sql: string, key: string): Row | undefined {
    return this.#ask(() => this.#database.get(sql, [key])) ?? undefined;
  }

  #change(sql: string, ...values: (string | number | Uint8Array)[]): number {
    return this.#ask(() => this.#database.run(sql, values)).changes;
  }

  #ask<T>(question: () => T): T {
    try {
      return question();
    } catch (cause) {
      const { message: why } = cause as Error;
      const advice = why.includes('locked') ? `; if no process uses it, remove ${this.#parts.file}.lock` : '';
      const message = `${this.identity}: ${why}${advice}`;
      throw new RoutineEngineError('STORE_UNREACHABLE', message, { cause });
    }
  }

  #admit(key?: ResultKey): void {
    if (this.#closed) throw new RoutineEngineError('STORE_CLOSED', `The store ${this.identity} is closed`);
    if (key !== undefined) assertResultKey(key);
  }
}

async function wholeOf(body: Body, signal: AbortSignal | undefined): Promise<Uint8Array> {
  const whole = new Uint8Array(body.byteLength);
  let filled = 0;
  for await (const chunk of untilAborted(body.chunks(), signal)) {
    if (filled + chunk.byteLength <= whole.byteLength) whole.set(chunk, filled);
    filled += chunk.byteLength;
    if (filled > whole.byteLength) break;
  }
  const lengths = body.parts?.map((part) => part.byteLength) ?? body.sizes;
  const isRight =
    filled === sum(body.sizes) && filled === whole.byteLength && lengths.join() === body.sizes.join();
  if (isRight && body.sizes.length > 0) return whole;
  const said = `[${body.sizes.join(', ')}] bytes, ${body.byteLength} in all`;
  throw new RoutineEngineError('BYTES_MALFORMED', `A body says that it has ${said}, and has not`);
}

/** @returns `undefined` for a damaged row. */
function resultOf(row: Row): StoredResult | undefined {
  const metadata = parsed(row['metadata']);
  const sizes = sizesOf(row);
  const bytes = row['bytes'] as Uint8Array;
  const digest = digestOf(row['metadata'] as string, row['sizes'] as string, bytes);
  if (!isResultMetadata(metadata) || !sizes || digest !== row['digest']) return undefined;
  let end = 0;
  const parts = sizes.sizes.map((size) => bytes.subarray(end, (end += size)));
  return { metadata, body: bodyOf(encodedOfParts(parts)) };
}

function sizesOf(row: Row): { readonly sizes: number[]; readonly byteLength: number } | undefined {
  const sizes = parsed(row['sizes']);
  if (!Array.isArray(sizes) || sizes.length === 0 || !sizes.every(isSize)) return undefined;
  return { sizes, byteLength: sum(sizes) };
}

function digestOf(...parts: (string | number | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part as string | Uint8Array);
  return hash.digest('hex');
}

function parsed(text: unknown): unknown {
  try {
    return JSON.parse(text as string);
  } catch {
    return undefined;
  }
}

function sum(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total + size, 0);
}
