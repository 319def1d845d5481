import { LRUCache } from 'lru-cache';
import type { Observable } from 'rxjs';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoreEvent } from '../events/engine-event.js';
import { EventFeed } from '../events/event-feed.js';
import { type Body, bodyOf, encodedOfParts } from '../model/body.js';
import { LIMITS } from '../model/limits.js';
import { assertResultKey, type ResultKey, type StoredResult } from '../model/result.js';
import { untilAborted } from '../model/until-aborted.js';
import type { ResultEntry, ResultStore } from '../ports/result-store.js';

/** How {@link MemoryStore} is set up. @public */
export interface MemoryStoreOptions {
  /** What `identity` ends with; a store shares its results with nobody, so no two stores get the same one. */
  readonly id: string;
  /** Name of this node, for events. */
  readonly node: string;
  /** Tells the time of events, in milliseconds since 1970 (UTC). */
  readonly clock: { now(): number };
  /**
   * Most bytes to keep, in bytes; beyond it the least recently used results go. Each result counts with
   * {@link ENTRY_BYTES} more than its bytes. Default `LIMITS.memoryStoreBytes`.
   */
  readonly maxBytes?: number;
}

/**
 * Parts from this many bytes on lie in SharedArrayBuffers, so that background threads are given them without a copy; for
 * smaller ones a copy costs less.
 */
const SHARED_BYTES = 64 * 1024;

/** What one result counts for beside its bytes, in bytes: key, metadata and bookkeeping, as measured (1.1 KB of heap). */
export const ENTRY_BYTES = 1200;

/**
 * Keeps results in the memory of this process, up to a number of bytes: the least recently used go first, each told
 * as `store.evicted`. `get` and `put` count as use, `has` and `list` do not. Pinned results stay and do not count.
 *
 * A put copies the bytes once, since the caller may change them afterwards; a get copies nothing. Large parts that a get
 * gives are over shared memory: whoever lets others write to them, or transfers them, copies them first.
 * A result larger than the whole bound is refused with `STORE_FULL`.
 * @public
 */
export class MemoryStore implements ResultStore {
  readonly name = 'memory';
  readonly identity: string;
  readonly capabilities = { durable: false, shared: false } as const;
  readonly events$: Observable<StoreEvent>;

  readonly #feed = new EventFeed<StoreEvent>();
  readonly #results: LRUCache<ResultKey, StoredResult>;
  /** Results that stay. They do not count in the bound. */
  readonly #pinned = new Map<ResultKey, StoredResult>();
  /** Evicted, and not told yet. */
  #evicted: StoreEvent[] = [];
  readonly #maxBytes: number;
  readonly #reading = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  /** @throws {@link RoutineEngineError} `OPTION_INVALID` when `maxBytes` is not a whole number above zero. */
  constructor(options: MemoryStoreOptions) {
    const { id, node, clock, maxBytes = LIMITS.memoryStoreBytes } = options;
    if (!Number.isSafeInteger(maxBytes) || maxBytes <= 0) {
      const wanted = 'a whole number of bytes above zero';
      throw new RoutineEngineError(
        'OPTION_INVALID',
        `maxBytes of a memory store must be ${wanted}, not ${maxBytes}`,
      );
    }
    this.identity = `memory:${id}`;
    this.events$ = this.#feed.events$;
    this.#maxBytes = maxBytes;
    this.#results = new LRUCache({
      maxSize: maxBytes,
      sizeCalculation: sizeOf,
      // Not `disposeAfter`: its list is emptied from the front, which takes seconds once it is some ten thousand long.
      dispose: ({ body }, key, reason) => {
        if (reason !== 'evict' || !this.#feed.observed) return;
        const { byteLength } = body;
        this.#evicted.push({
          type: 'store.evicted',
          at: clock.now(),
          node,
          store: this.name,
          key,
          byteLength,
        });
      },
    });
  }

  async get(key: ResultKey, options?: { readonly signal?: AbortSignal }): Promise<StoredResult | undefined> {
    this.#refuseClosed();
    options?.signal?.throwIfAborted();
    const found = this.#find(key);
    // A key that is there was looked at when it was put.
    if (!found) assertResultKey(key);
    return found;
  }

  async put(
    key: ResultKey,
    result: StoredResult,
    options?: { readonly signal?: AbortSignal },
  ): Promise<'stored' | 'present'> {
    this.#admit(key);
    options?.signal?.throwIfAborted();
    if (this.#find(key)) return 'present';
    this.#refuseTooLarge(key, result);
    const metadata = { ...result.metadata };
    const { parts } = result.body;
    if (parts) return this.#keep(key, { metadata, body: copyOf(result.body, parts) });
    const reading = readWhole(result.body, options?.signal).then((body) =>
      this.#keep(key, { metadata, body }),
    );
    this.#reading.add(reading);
    try {
      return await reading;
    } finally {
      this.#reading.delete(reading);
    }
  }

  async has(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    return this.#pinned.has(key) || this.#results.has(key);
  }

  async delete(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    return this.#pinned.delete(key) || this.#results.delete(key);
  }

  async pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    this.#admit(key);
    const result = this.#find(key);
    if (!result || this.#pinned.has(key) === pinned) return result !== undefined;
    if (pinned) {
      this.#pinned.set(key, result);
      this.#results.delete(key);
    } else {
      this.#pinned.delete(key);
      this.#add(key, result);
    }
    return true;
  }

  async *list(): AsyncGenerator<ResultEntry> {
    this.#refuseClosed();
    // All keys at once: what is put or deleted between two steps would move the list under the walk.
    for (const key of [...this.#pinned.keys(), ...this.#results.keys()]) {
      this.#refuseClosed();
      const kept = this.#pinned.get(key);
      const result = kept ?? this.#results.peek(key);
      if (!result) continue;
      const { metadata, body } = result;
      yield { key, metadata, byteLength: body.byteLength, pinned: kept !== undefined };
    }
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await Promise.allSettled(this.#reading);
    this.#results.clear();
    this.#pinned.clear();
    this.#feed.complete();
  }

  #keep(key: ResultKey, result: StoredResult): 'stored' | 'present' {
    // Asked again: another writer may have been first while a streamed body was read.
    if (this.#find(key)) return 'present';
    this.#add(key, result);
    return 'stored';
  }

  #add(key: ResultKey, result: StoredResult): void {
    this.#results.set(key, result);
    if (this.#evicted.length === 0) return;
    // After, not while the list is changed: a listener may call the store again.
    const evicted = this.#evicted;
    this.#evicted = [];
    for (const event of evicted) this.#feed.emit(event);
  }

  #find(key: ResultKey): StoredResult | undefined {
    return this.#pinned.get(key) ?? this.#results.get(key);
  }

  #admit(key: ResultKey): void {
    this.#refuseClosed();
    assertResultKey(key);
  }

  #refuseClosed(): void {
    if (!this.#closed) return;
    throw new RoutineEngineError(
      'STORE_CLOSED',
      `The store ${this.identity} is closed; it keeps and gives nothing any more`,
    );
  }

  #refuseTooLarge(key: ResultKey, result: StoredResult): void {
    const bytes = sizeOf(result);
    if (bytes <= this.#maxBytes) return;
    throw new RoutineEngineError(
      'STORE_FULL',
      `The result ${key} counts ${bytes} bytes, but ${this.identity} keeps ${this.#maxBytes} in all; ` +
        'raise maxBytes or keep large results in another store',
    );
  }
}

function sizeOf({ body }: StoredResult): number {
  return body.byteLength + ENTRY_BYTES;
}

function copyOf(body: Body, parts: readonly Uint8Array[]): Body {
  const [head = new Uint8Array(0), ...buffers] = parts.map((part) => {
    const memory = newMemory(part.byteLength);
    memory.set(part);
    return memory;
  });
  const copy = bodyOf({ head, buffers });
  const agrees = copy.byteLength === body.byteLength && copy.sizes.join() === body.sizes.join();
  if (agrees && parts.length > 0) return copy;
  const said = `[${body.sizes.join(', ')}] bytes, ${body.byteLength} in all`;
  throw new RoutineEngineError(
    'BYTES_MALFORMED',
    `A body says ${said}, but its parts have [${copy.sizes.join(', ')}]`,
  );
}

async function readWhole(body: Body, signal: AbortSignal | undefined): Promise<Body> {
  const sum = body.sizes.reduce((bytes, size) => bytes + size, 0);
  if (sum !== body.byteLength) {
    const said = `${body.byteLength} bytes in all`;
    throw new RoutineEngineError('BYTES_MALFORMED', `A body says ${said}, but its sizes add up to ${sum}`);
  }
  // One memory for all parts, of which the large ones are views: then each chunk is copied once.
  const whole = newMemory(body.byteLength);
  let filled = 0;
  for await (const chunk of untilAborted(body.chunks(), signal)) {
    if (chunk.byteLength > whole.byteLength - filled) throw disagreement(body, 'gave more');
    whole.set(chunk, filled);
    filled += chunk.byteLength;
  }
  if (filled < whole.byteLength) throw disagreement(body, `ended after ${filled}`);
  let end = 0;
  const parts = body.sizes.map((size) => {
    end += size;
    return size < SHARED_BYTES ? whole.slice(end - size, end) : whole.subarray(end - size, end);
  });
  return bodyOf(encodedOfParts(parts));
}

function newMemory(byteLength: number): Uint8Array {
  if (byteLength < SHARED_BYTES) return new Uint8Array(byteLength);
  return new Uint8Array(new SharedArrayBuffer(byteLength));
}

function disagreement(body: Body, got: string): RoutineEngineError {
  return new RoutineEngineError(
    'BYTES_MALFORMED',
    `A body said that it has ${body.byteLength} bytes, but ${got}`,
  );
}
