import { randomUUID } from 'node:crypto';
import { setMaxListeners } from 'node:events';
import { type EventFeed, Gate, RoutineEngineError, type StoreEvent } from '@routine-engine/core/adapter';
import type { ObjectStore } from './object-store.js';
import type { UnfinishedUploads } from './unfinished-uploads.js';
import { asMissing, Entries, type FoundEntry } from './entries.js';
import { dataNameOf, encodeEntry, type Entry, INLINE_BYTES } from './entry-format.js';
import { Digest, piecesOf } from './pieces.js';
import { isRefusal } from './s3-error.js';

/** What an {@link S3Place} is made of. */
export interface S3PlaceParts {
  readonly bucket: ObjectStore;
  readonly uploads: UnfinishedUploads;
  readonly feed: EventFeed<StoreEvent>;
  /** Name of the store, for events. */
  readonly store: string;
  readonly identity: string;
  readonly now: () => number;
  readonly node: string;
}

/** Small requests at once: enough to hide how long each takes. */
const LOOKS_AT_ONCE = 64;
/** Contents in memory written at once. Those that come in chunks are not counted: one could wait for another. */
const WRITES_AT_ONCE = 16;

/** Entries read at once while listing. */
const LISTED_AT_ONCE = 32;

/** A writer that wrote nothing for this long, in milliseconds, is taken for dead: a sweep removes what it left. */
export const IDLE_WRITER_MS = 24 * 60 * 60 * 1000;

/** Name of the object that says that data are being swept. */
export function sweepMarkOf(id: string): string {
  return `sweep/${id}`;
}

/** What is kept, before it is known what its bytes are. */
export type Draft = Omit<Entry, 'id' | 'inline' | 'byteLength' | 'digest'>;

/** What results and blobs do alike with a bucket. `doing` is such as `keep the result ab…`, for errors. */
export class S3Place {
  readonly bucket: ObjectStore;
  readonly uploads: UnfinishedUploads;
  readonly now: () => number;
  readonly results: Entries;
  readonly blobs: Entries;
  readonly looks = new Gate(LOOKS_AT_ONCE);
  readonly writes = new Gate(WRITES_AT_ONCE);
  readonly streams = new Gate(Infinity);
  readonly #cleaning = new Gate(Infinity);
  readonly #identity: string;
  readonly #ending = new AbortController();

  constructor(parts: S3PlaceParts) {
    this.bucket = parts.bucket;
    this.uploads = parts.uploads;
    this.now = parts.now;
    // Everybody who reads a blob listens.
    setMaxListeners(0, this.closing);
    this.#identity = parts.identity;
    const common = { ...parts, cleaning: this.#cleaning };
    this.results = new Entries({ ...common, kind: 'result' });
    this.blobs = new Entries({ ...common, kind: 'blob' });
  }

  /** @throws {@link RoutineEngineError} `STORE_CLOSED`. */
  refuseClosed(): void {
    this.closing.throwIfAborted();
  }

  /** Aborts when the store closes; its reason is the error that says so. */
  get closing(): AbortSignal {
    return this.#ending.signal;
  }

  /** From now on everything is refused. Resolves when nothing is under way. */
  async close(): Promise<void> {
    const message = `The store ${this.#identity} is closed; open a new one on the same bucket`;
    this.#ending.abort(new RoutineEngineError('STORE_CLOSED', message));
    await Promise.all([this.looks, this.writes, this.streams].map((gate) => gate.idle()));
    await this.#cleaning.idle();
  }

  /** Keeps a content of at most `INLINE_BYTES` in the entry itself. */
  async keepInline(
    draft: Draft,
    doing: string,
    content: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<'stored' | 'present'> {
    const digest = new Digest();
    for (const piece of content) digest.update(piece);
    const { byteLength } = digest;
    const entry = { ...draft, id: randomUUID(), inline: true, byteLength, digest: digest.hex() };
    return this.#of(draft).keep(draft.key, doing, encodeEntry(entry), content, signal);
  }

  /**
   * Keeps a content as an object of its own, and then the entry that names it.
   * @param judge - throws when the bytes are not what they should be. @returns the key.
   */
  async keepData(
    draft: Omit<Draft, 'key'>,
    doing: string,
    pieces: AsyncIterable<Uint8Array>,
    options: {
      readonly byteLength?: number | undefined;
      readonly signal: AbortSignal | undefined;
      readonly judge: (content: { digest: string; byteLength: number }) => string;
    },
  ): Promise<{ outcome: 'stored' | 'present'; entry: Entry }> {
    const id = randomUUID();
    const tookMs = stopwatch(this.now);
    const digest = new Digest();
    const { byteLength, signal = new AbortController().signal, judge } = options;
    const entries = this.#of(draft);
    try {
      await this.bucket.upload(dataNameOf(id), doing, digest.over(pieces), { byteLength, signal });
      const content = { digest: digest.hex(), byteLength: digest.byteLength };
      const entry: Entry = { ...draft, key: judge(content), id, inline: false, ...content };
      const header = encodeEntry(entry);
      signal.throwIfAborted();
      // Without the signal: whoever gave up a put that may have been made would not know whether the data are needed.
      const outcome = await entries.keep(entry.key, doing, header, []).catch((error: unknown) => {
        throw isRefusal(error) ? error : new Undecided(error);
      });
      if (outcome === 'present') entries.discard(id);
      else if (tookMs() > IDLE_WRITER_MS / 2) await this.#refuseSwept(entries, entry, doing);
      return { outcome, entry };
    } catch (error) {
      // The entry may be there, or come to be: then its data are needed.
      if (error instanceof Undecided) throw error.cause;
      entries.discard(id);
      throw error;
    }
  }

  /** Keeps what is in memory, in whichever way fits its size. */
  async keepParts(
    draft: Draft,
    doing: string,
    parts: readonly Uint8Array[],
    signal: AbortSignal | undefined,
  ): Promise<'stored' | 'present'> {
    let byteLength = 0;
    for (const part of parts) byteLength += part.byteLength;
    if (byteLength <= INLINE_BYTES) return this.keepInline(draft, doing, parts, signal);
    if (await this.#of(draft).isPresent(draft.key, doing, signal)) return 'present';
    const judge = (): string => draft.key;
    return (await this.keepData(draft, doing, piecesOf(parts), { byteLength, signal, judge })).outcome;
  }

  /** All entries that are whole; what is not is put aside. */
  async *list(entries: Entries, doing: string): AsyncGenerator<FoundEntry> {
    const keys = entries.keys(doing);
    for (;;) {
      this.refuseClosed();
      const some = await this.looks.run(() => take(keys, LISTED_AT_ONCE));
      if (some.length === 0) return;
      const looking = some.map((key) =>
        this.looks.run(() => entries.find(key, doing, { whole: false }).catch(asMissing)),
      );
      for (const entry of await Promise.all(looking)) if (entry) yield entry;
    }
  }

  /**
   * Looks whether a sweep took the data of an entry that is there now for those of a dead writer. A sweep puts its mark, then
   * looks for entries, and removes the mark only after the data.
   */
  async #refuseSwept(entries: Entries, { key, id }: Entry, doing: string): Promise<void> {
    try {
      const mark = await this.bucket.get(sweepMarkOf(id), doing);
      mark?.body.destroy();
      const data = await this.bucket.get(dataNameOf(id), doing, { range: [0, 0] });
      data?.body.destroy();
      if (!mark && data) return;
      await entries.remove(key, doing);
    } catch (error) {
      throw new Undecided(error);
    }
    const took = 'it took so long that its bytes were swept up as those of a writer that died';
    throw new RoutineEngineError('STORE_UNREACHABLE', `Cannot ${doing}: ${took}; put it again`);
  }

  #of({ kind }: Pick<Draft, 'kind'>): Entries {
    return kind === 'result' ? this.results : this.blobs;
  }
}

/** Tells how much time has passed: also that in which the machine slept, and whatever was done to its clock. */
function stopwatch(now: () => number): () => number {
  const began = { wall: now(), running: performance.now() };
  return () => Math.max(now() - began.wall, performance.now() - began.running);
}

/** It is not known whether a request was carried out. */
class Undecided extends Error {
  constructor(cause: unknown) {
    super('the entry may be there', { cause });
  }
}

async function take<T>(source: AsyncIterator<T>, most: number): Promise<T[]> {
  const taken: T[] = [];
  while (taken.length < most) {
    const next = await source.next();
    if (next.done === true) break;
    taken.push(next.value);
  }
  return taken;
}
