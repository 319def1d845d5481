import type { SweepOptions, SweptAmount } from '@routine-engine/core/adapter';
import { asMissing, type Entries } from './entries.js';
import { dataNameOf, isEntryId } from './entry-format.js';
import type { ListedObject } from './object-store.js';
import { MOST_TTL_MS } from './s3-leases.js';
import { IDLE_WRITER_MS, sweepMarkOf, type S3Place } from './s3-place.js';
import type { UnfinishedUpload } from './unfinished-uploads.js';

/** How long damaged entries stay to be looked at, in milliseconds from when they were put aside. */
const CORRUPT_MS = 7 * 24 * 60 * 60 * 1000;
/** Servers tell times in whole seconds, and several of one service may differ a little. */
const ROUNDING_MS = 60_000;
/** Objects looked at or removed at once. */
const SWEPT_AT_ONCE = 16;

/** Settings of a sweep that only tests change. */
interface Terms extends SweepOptions {
  /** An upload or data whose entry is missing belong to a writer that died when they are that old, in milliseconds. */
  readonly idleWriterMs?: number;
}

/**
 * Removes what nobody can get or needs any more. Everything's age is what the server says; where it does not say, all stays.
 * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`, `STORE_CLOSED`; the signal's reason.
 */
export async function sweep(place: S3Place, terms: Terms = {}): Promise<SweptAmount> {
  const sweeper = new Sweeper(place, terms);
  await sweeper.removeOlder('leases/', MOST_TTL_MS + ROUNDING_MS);
  await sweeper.removeOlder('corrupt/', CORRUPT_MS);
  await sweeper.abortUploads();
  await sweeper.removeOrphans();
  return sweeper.swept;
}

class Sweeper {
  readonly swept = { items: 0, byteLength: 0 };
  readonly #place: S3Place;
  readonly #dryRun: boolean;
  readonly #signal: AbortSignal | undefined;
  readonly #idleWriterMs: number;

  constructor(place: S3Place, { dryRun = false, signal, idleWriterMs = IDLE_WRITER_MS }: Terms) {
    this.#place = place;
    this.#dryRun = dryRun;
    this.#signal = signal;
    this.#idleWriterMs = idleWriterMs;
  }

  /** Removes the objects whose names begin so and which were not written for so long. */
  async removeOlder(begin: string, ageMs: number): Promise<void> {
    const doing = `sweep up ${begin}`;
    const { bucket } = this.#place;
    await this.#each(bucket.list(begin, doing), async ({ name, byteLength, etag, ...times }) => {
      if (!(ageOf(times) > ageMs)) return;
      // Only that one: somebody may have written it anew.
      if (!this.#dryRun && !(await bucket.remove(name, doing, etag))) return;
      this.#count(byteLength);
    });
  }

  /** Gives up the uploads to which nothing was added for so long. */
  async abortUploads(): Promise<void> {
    const doing = 'sweep up unfinished uploads';
    const { uploads } = this.#place;
    await this.#each(uploads.list('data/', doing), async (upload: UnfinishedUpload) => {
      if (!(upload.ageMs > this.#idleWriterMs)) return;
      const parts = await uploads.partsOf(upload, doing);
      if (!parts || !(parts.lastAgeMs > this.#idleWriterMs)) return;
      if (!this.#dryRun && !(await uploads.abort(upload, doing))) return;
      this.#count(parts.byteLength);
    });
  }

  /**
   * Removes data that no entry names. A writer that is only very slow may be about to make the entry: so a mark is put
   * first, and then it is looked once more; a writer that took long looks for the mark after it made its entry. Of the two
   * at least one sees the other.
   */
  async removeOrphans(): Promise<void> {
    const doing = 'sweep up data';
    const { bucket } = this.#place;
    const { orphans, listedAt } = await this.#oldData(doing);
    if (orphans.size > 0) await this.#dropNamed(orphans, doing);
    if (this.#dryRun) {
      for (const byteLength of orphans.values()) this.#count(byteLength);
      return;
    }
    const marked = [...orphans];
    await this.#each(marked, ([id]) => bucket.put(sweepMarkOf(id), doing, new Uint8Array(0)));
    if (orphans.size > 0) await this.#dropNamed(orphans, doing, listedAt - ROUNDING_MS);
    await this.#each(marked, async ([id, byteLength]) => {
      if (orphans.has(id) && (await bucket.remove(dataNameOf(id), doing))) this.#count(byteLength);
      await bucket.remove(sweepMarkOf(id), doing);
    });
    // Of sweeps that were cut off.
    await this.removeOlder(sweepMarkOf(''), this.#idleWriterMs);
  }

  /** Bytes of the data that are old, by the id of the entry that may name them, and when they were listed first. */
  async #oldData(doing: string): Promise<{ orphans: Map<string, number>; listedAt: number }> {
    const orphans = new Map<string, number>();
    let listedAt = Infinity;
    await this.#each(
      this.#place.bucket.list(dataNameOf(''), doing),
      async ({ name, byteLength, ...times }) => {
        listedAt = Math.min(listedAt, times.answeredAt);
        const id = name.slice(dataNameOf('').length);
        if (isEntryId(id) && ageOf(times) > this.#idleWriterMs) orphans.set(id, byteLength);
      },
    );
    return { orphans, listedAt };
  }

  /** Leaves those that no entry names. @param since - looks only at entries that were made or put again since. */
  async #dropNamed(orphans: Map<string, number>, doing: string, since?: number): Promise<void> {
    for (const entries of [this.#place.results, this.#place.blobs]) {
      await this.#each(entries.keys(doing, since), async (key) => {
        const id = await idOf(entries, key, doing);
        if (id !== undefined) orphans.delete(id);
      });
    }
  }

  async #each<T>(items: Iterable<T> | AsyncIterable<T>, work: (item: T) => Promise<unknown>): Promise<void> {
    const { looks } = this.#place;
    let some: T[] = [];
    const settle = async (): Promise<void> => {
      this.#signal?.throwIfAborted();
      this.#place.refuseClosed();
      await Promise.all(some.map((item) => looks.run(() => work(item))));
      some = [];
    };
    for await (const item of items) {
      some.push(item);
      if (some.length === SWEPT_AT_ONCE) await settle();
    }
    await settle();
  }

  #count(byteLength: number): void {
    this.swept.items += 1;
    this.swept.byteLength += byteLength;
  }
}

/** Of the entry of a key, if its content is an object of its own. */
async function idOf(entries: Entries, key: string, doing: string): Promise<string | undefined> {
  const look = (): ReturnType<Entries['look']> => entries.look(key, doing, { whole: false }).catch(asMissing);
  // Once more: bytes may have been changed on their way, and what names data must not be missed. What is damaged is lost.
  const entry = (await look()) ?? (await look());
  return entry?.inline === false ? entry.id : undefined;
}

function ageOf({ modifiedAt, answeredAt }: Pick<ListedObject, 'modifiedAt' | 'answeredAt'>): number {
  return answeredAt - modifiedAt;
}
