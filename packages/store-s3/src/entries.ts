import { hash, randomUUID } from 'node:crypto';
import { RoutineEngineError, type EventFeed, type Gate, type StoreEvent } from '@routine-engine/core/adapter';
import { backOff } from './abort.js';
import type { ObjectStore } from './object-store.js';
import { Damage } from './damage.js';
import {
  dataNameOf,
  decodeEntry,
  type Entry,
  ENTRY_BYTES,
  headerBytesOf,
  LOOK_BYTES,
} from './entry-format.js';
import { readWhole } from './read-object.js';

/** What {@link Entries} are made of. */
export interface EntriesParts {
  readonly bucket: ObjectStore;
  readonly kind: Entry['kind'];
  readonly feed: EventFeed<StoreEvent>;
  /** Name of the store, for events. */
  readonly store: string;
  readonly now: () => number;
  readonly node: string;
  /** Cleaning up that nobody waits for but who closes. */
  readonly cleaning: Gate;
}

/** An entry as it was found. */
export interface FoundEntry extends Entry {
  readonly etag: string;
  /** By the clock of the server, in milliseconds since 1970; whole seconds. */
  readonly modifiedAt: number;
  /** How long ago it was made or put again when it was read, by the clock of the server, in milliseconds; NaN when that does not say. */
  readonly ageMs: number;
  /** The whole entry, when all of it was asked for. */
  readonly bytes?: Buffer;
  /** The content, when it is in the entry and all of it was asked for. */
  readonly content?: Buffer;
}

/** How an entry is looked at. */
interface Look {
  /** With its content, when that is in it. */
  readonly whole: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The small objects that make a result or blob be there: `results/<key>` and `blobs/<digest>`. `doing` is such as
 * `keep the result ab…`, for errors.
 */
export class Entries {
  readonly #parts: EntriesParts;
  /** The last delete of a name: of several at once each waits for the one before. */
  readonly #deletes = new Map<string, Promise<boolean>>();

  constructor(parts: EntriesParts) {
    this.#parts = parts;
  }

  /** Whether there is an entry, whatever is in it. */
  async has(key: string, doing: string, signal?: AbortSignal): Promise<boolean> {
    const { bucket } = this.#parts;
    const reading = { bucket, name: this.#nameOf(key), doing, signal, range: [0, 0] as const, most: 1 };
    try {
      // Not HEAD: its answers cannot tell a missing bucket from a missing object.
      return (await readWhole(reading)) !== undefined;
    } catch (error) {
      if (error instanceof Damage) return true;
      throw error;
    }
  }

  /**
   * @returns `undefined` when there is none, or it has gone.
   * @throws {@link Damage} when there is something else; it is put aside and told by then.
   */
  async find(key: string, doing: string, look: Look): Promise<FoundEntry | undefined> {
    try {
      return await this.look(key, doing, look);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
    }
    // Once more: bytes may have been changed on their way.
    try {
      return await this.look(key, doing, look);
    } catch (error) {
      if (error instanceof Damage) await this.putAside(key, error.message, error);
      throw error;
    }
  }

  /** As {@link Entries.find}, but what is damaged stays where it is. */
  async look(key: string, doing: string, { whole, signal }: Look): Promise<FoundEntry | undefined> {
    const { bucket, kind } = this.#parts;
    const reading = { bucket, name: this.#nameOf(key), doing, signal, most: ENTRY_BYTES };
    const read = await readWhole({ ...reading, ...(!whole && { range: [0, LOOK_BYTES - 1] }) });
    if (!read) return undefined;
    const { bytes, found } = read;
    const { etag, byteLength, modifiedAt } = found;
    const ageMs = found.answeredAt - modifiedAt;
    try {
      const headerBytes = headerBytesOf(bytes, byteLength);
      if (headerBytes > bytes.byteLength) return await this.look(key, doing, { whole: true, signal });
      const entry = decodeEntry(bytes.subarray(0, headerBytes), kind, key, byteLength);
      const times = { modifiedAt, ageMs };
      if (!whole) return { ...entry, etag, ...times };
      if (!entry.inline) return { ...entry, etag, ...times, bytes };
      const content = bytes.subarray(headerBytes);
      if (hash('sha256', content, 'hex') !== entry.digest) throw new Damage('has bytes that were changed');
      return { ...entry, etag, ...times, bytes, content };
    } catch (error) {
      if (error instanceof Damage) error.etag = etag;
      throw error;
    }
  }

  /**
   * Keeps an entry, unless there is one of its key. The first of several writers wins, wherever they are.
   * @param header - made by `encodeEntry`. @param content - what follows it.
   */
  async keep(
    key: string,
    doing: string,
    header: Buffer,
    content: readonly Uint8Array[],
    signal?: AbortSignal,
  ): Promise<'stored' | 'present'> {
    const { bucket, kind } = this.#parts;
    const name = this.#nameOf(key);
    const bytes = Buffer.concat([header, ...content]);
    for (let failures = 1; ; failures += 1) {
      if ((await bucket.putIfAbsent(name, doing, bytes, signal)) === 'stored') return 'stored';
      // The answer to a put that was made can be lost, and then the repeated request finds its own object.
      const range = [0, header.byteLength - 1] as const;
      const there = await readWhole({ bucket, name, doing, range, signal, most: header.byteLength }).catch(
        asMissing,
      );
      if (there?.bytes.equals(header)) return 'stored';
      if (there && (kind === 'result' || (await this.isPresent(key, doing, signal)))) return 'present';
      if (failures >= bucket.attempts) return 'present';
      await backOff(failures, signal);
    }
  }

  /**
   * Whether there is an entry, so that nothing needs to be put. That of a blob counts as put again: who removes what is not
   * needed goes by when it was put.
   */
  async isPresent(key: string, doing: string, signal: AbortSignal | undefined): Promise<boolean> {
    const { bucket, kind } = this.#parts;
    if (kind === 'result') return this.has(key, doing, signal);
    const entry = await this.find(key, doing, { whole: true, signal }).catch(asMissing);
    if (!entry?.bytes) return false;
    // Put in this very second, as far as servers tell times.
    if (entry.ageMs < 1000) return true;
    try {
      return (await bucket.put(this.#nameOf(key), doing, entry.bytes, entry.etag)) !== undefined;
    } catch (error) {
      // Of many that do so at once Ceph lets one through and fails inside for others: then it was put again all the same.
      const there = await this.find(key, doing, { whole: false, signal }).catch(asMissing);
      if (!there || there.modifiedAt <= entry.modifiedAt) throw error;
      return true;
    }
  }

  /** Forgets an entry, and its data. @returns whether there was one. */
  async remove(key: string, doing: string): Promise<boolean> {
    const before = this.#deletes.get(key) ?? Promise.resolve(false);
    const removing = Promise.allSettled([before]).then(() => this.#remove(key, doing));
    this.#deletes.set(key, removing);
    try {
      return await removing;
    } finally {
      if (this.#deletes.get(key) === removing) this.#deletes.delete(key);
    }
  }

  /** The keys of all entries, or of those made or put again from `since` on, by the clock of the server. */
  async *keys(doing: string, since = -Infinity): AsyncGenerator<string> {
    const begin = this.#nameOf('');
    for await (const { name, modifiedAt } of this.#parts.bucket.list(begin, doing)) {
      const key = name.slice(begin.length);
      if (/^[0-9a-f]{64}$/.test(key) && !(modifiedAt < since)) yield key;
    }
  }

  /** Removes the content of an entry that did not come to be. Nobody waits for it but who closes. */
  discard(id: string): void {
    const { cleaning, bucket } = this.#parts;
    const removing = cleaning.run(() => bucket.remove(dataNameOf(id), 'remove what was not kept'));
    // When it cannot be removed, it is of no harm: nobody looks for it.
    void Promise.allSettled([removing]);
  }

  /**
   * Moves a damaged entry to where nobody looks for it, removes its data, and tells.
   * @param seen - what was damaged: another that is there by now stays.
   */
  async putAside(
    key: string,
    damage: string,
    seen: { readonly etag?: string } & Partial<Pick<Entry, 'id' | 'inline'>>,
  ): Promise<void> {
    const { bucket, feed, now, node, store } = this.#parts;
    const name = this.#nameOf(key);
    const aside = `corrupt/${name}.${randomUUID()}`;
    let outcome = `it is now ${aside}`;
    try {
      const doing = 'put it aside';
      const read = await readWhole({ bucket, name, doing, etag: seen.etag, most: ENTRY_BYTES }).catch(
        asMissing,
      );
      if (read) await bucket.put(aside, doing, read.bytes);
      else outcome = 'it was removed';
      if (!(await bucket.remove(name, doing, read?.found.etag ?? seen.etag))) return;
      if (seen.id !== undefined && !seen.inline) await bucket.remove(dataNameOf(seen.id), doing);
    } catch (error) {
      if (!(error instanceof RoutineEngineError)) throw error;
      outcome = error.message;
    }
    if (!feed.observed) return;
    const detail = `${name} ${damage}; ${outcome}`;
    feed.emit({ type: 'store.corrupt', at: now(), node, store, key, detail });
  }

  async #remove(key: string, doing: string): Promise<boolean> {
    const { bucket } = this.#parts;
    let found: Pick<FoundEntry, 'etag' | 'id' | 'inline'> | undefined;
    try {
      found = await this.look(key, doing, { whole: false });
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      return bucket.remove(this.#nameOf(key), doing);
    }
    if (!found) return false;
    const removed = await bucket.remove(this.#nameOf(key), doing, found.etag);
    // Also when another was faster: nobody finds these data any more.
    if (!found.inline) await bucket.remove(dataNameOf(found.id), doing);
    return removed;
  }

  #nameOf(key: string): string {
    return `${this.#parts.kind}s/${key}`;
  }
}

/** For `catch`: what is damaged counts as missing. */
export function asMissing(error: unknown): undefined {
  if (error instanceof Damage) return undefined;
  throw error;
}
