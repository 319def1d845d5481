import { createHash } from 'node:crypto';
import {
  assertBlobDigest,
  type BlobEntry,
  type BlobStore,
  type KeptBlob,
  RoutineEngineError,
  type StoreCallOptions,
  type StoredBlob,
  untilAborted,
  unlessAborted,
} from '@routine-engine/core/adapter';
import { followerOf } from './abort.js';
import { Damage } from './damage.js';
import { dataNameOf, type Entry, INLINE_BYTES } from './entry-format.js';
import { asMissing, type FoundEntry } from './entries.js';
import { Digest, gathered, piecesOf } from './pieces.js';
import { chunksOf, Gone, type Reading } from './read-object.js';
import type { S3Place } from './s3-place.js';

/** The blobs of an `S3Store`: one entry a blob, named by its digest. */
export class S3Blobs implements BlobStore {
  readonly #place: S3Place;

  constructor(place: S3Place) {
    this.#place = place;
  }

  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreCallOptions & { readonly digest?: string } = {},
  ): Promise<KeptBlob> {
    this.#place.refuseClosed();
    const { digest } = options;
    const signal = followerOf(options.signal);
    if (digest !== undefined) assertBlobDigest(digest);
    signal?.throwIfAborted();
    const kept =
      source instanceof Uint8Array
        ? this.#place.writes.run(() => this.#putBytes(source, digest, signal))
        : this.#place.streams.run(() => this.#putChunks(source, digest, signal));
    return unlessAborted(kept, signal);
  }

  async get(digest: string, options?: StoreCallOptions): Promise<StoredBlob | undefined> {
    this.#admit(digest);
    const signal = followerOf(options?.signal);
    signal?.throwIfAborted();
    const doing = `look for the blob ${digest}`;
    const finding = this.#place.looks.run(() => this.#find(digest, doing, signal));
    const entry = await unlessAborted(finding, signal);
    return entry && this.#blobOf(entry);
  }

  async delete(digest: string): Promise<boolean> {
    this.#admit(digest);
    return this.#place.looks.run(() => this.#place.blobs.remove(digest, `delete the blob ${digest}`));
  }

  async *list(): AsyncGenerator<BlobEntry> {
    const { blobs, now } = this.#place;
    for await (const { key, byteLength, ageMs } of this.#place.list(blobs, 'list the blobs')) {
      // What has no age counts as put just now. The clock of the server may be quite another than this one.
      yield { digest: key, byteLength, putAt: Math.max(0, now() - (ageMs || 0)) };
    }
  }

  async #putBytes(
    bytes: Uint8Array,
    known: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob> {
    const { byteLength } = bytes;
    const digest = new Digest();
    // Also when it is known: nothing is kept under a digest that is not its own.
    for await (const piece of piecesOf([bytes])) {
      signal?.throwIfAborted();
      digest.update(piece);
    }
    const key = agreed(digest.hex(), known);
    const outcome = await this.#place.keepParts(
      { kind: 'blob', key },
      `keep the blob ${key}`,
      [bytes],
      signal,
    );
    return { blob: this.#blobOf({ key, byteLength }), outcome };
  }

  async #putChunks(
    chunks: AsyncIterable<Uint8Array>,
    known: string | undefined,
    signal: AbortSignal | undefined,
  ): Promise<KeptBlob> {
    const doing = known === undefined ? 'keep a blob' : `keep the blob ${known}`;
    const present = known === undefined ? undefined : await this.#find(known, doing, signal);
    if (present && (await this.#place.blobs.isPresent(present.key, doing, signal))) {
      return { blob: this.#blobOf(present), outcome: 'present' };
    }
    const pieces = gathered(untilAborted(chunks, signal));
    // A piece that is not full is the last.
    const first = await pieces.next();
    const start = first.done === true ? new Uint8Array(0) : first.value;
    if (start.byteLength <= INLINE_BYTES) return this.#putBytes(start, known, signal);
    const { outcome, entry } = await this.#place.keepData({ kind: 'blob' }, doing, following(start, pieces), {
      signal,
      judge: ({ digest }) => agreed(digest, known),
    });
    return { blob: this.#blobOf(entry), outcome };
  }

  /** What there is under a digest; a damaged one is put aside. */
  async #find(digest: string, doing: string, signal?: AbortSignal): Promise<FoundEntry | undefined> {
    try {
      return await this.#place.blobs.find(digest, doing, { whole: false, signal });
    } catch (error) {
      if (error instanceof Damage) return undefined;
      throw error;
    }
  }

  /** @param entry - when it is complete, its data are read without looking for it again. */
  #blobOf(entry: Pick<Entry, 'key' | 'byteLength'> | Entry): StoredBlob {
    const { key: digest, byteLength } = entry;
    const seen = 'id' in entry && !entry.inline ? entry : undefined;
    return {
      digest,
      byteLength,
      chunks: (options) => this.#chunksOf(digest, byteLength, seen, options?.signal),
      readInto: async (target, options) => {
        if (target.byteLength !== byteLength) throw notAsLong(digest, byteLength, target);
        for await (const piece of this.#chunksOf(digest, byteLength, seen, options?.signal, target))
          void piece;
      },
    };
  }

  /** @param target - memory for all of it, of which the chunks are views then. */
  async *#chunksOf(
    digest: string,
    byteLength: number,
    seen: Entry | undefined,
    given: AbortSignal | undefined,
    target?: Uint8Array,
  ): AsyncGenerator<Uint8Array> {
    this.#place.refuseClosed();
    const signal = given ? AbortSignal.any([given, this.#place.closing]) : this.#place.closing;
    signal.throwIfAborted();
    const doing = `read the blob ${digest}`;
    try {
      if (seen) {
        try {
          return yield* untilAborted(this.#dataOf(seen, doing, signal, target), signal);
        } catch (error) {
          // Somebody may have put it anew.
          if (!(error instanceof Gone) || error.at > 0) throw error;
        }
      }
      const entry = await unlessAborted(
        this.#place.blobs.find(digest, doing, { whole: true, signal }),
        signal,
      );
      if (!entry) throw new RoutineEngineError('CONTENT_MISSING', `The blob ${digest} is no longer there`);
      if (entry.byteLength !== byteLength) throw new Damage(`had ${byteLength} bytes when it was looked up`);
      if (entry.content) {
        target?.set(entry.content);
        yield entry.content;
      } else yield* untilAborted(this.#dataOrAside(entry, doing, signal, target), signal);
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
      const message = `The blob ${digest} ${error.message}`;
      if (error instanceof Gone) throw new RoutineEngineError('CONTENT_MISSING', message, { cause: error });
      throw new RoutineEngineError('CONTENT_CORRUPT', message, { cause: error });
    }
  }

  /** As {@link S3Blobs.#dataOf}, for an entry that is just there: when its data are gone, it goes too. */
  async *#dataOrAside(
    entry: FoundEntry,
    doing: string,
    signal: AbortSignal,
    target: Uint8Array | undefined,
  ): AsyncGenerator<Uint8Array> {
    try {
      yield* this.#dataOf(entry, doing, signal, target);
    } catch (error) {
      if (error instanceof Gone) await this.#place.blobs.putAside(entry.key, error.message, entry);
      throw error;
    }
  }

  /** The bytes; the last chunk is given only when all of them are what the digest says. */
  async *#dataOf(
    entry: Entry,
    doing: string,
    signal: AbortSignal,
    target: Uint8Array | undefined,
  ): AsyncGenerator<Uint8Array> {
    const reading = this.#readingOf(entry, doing, signal);
    const hash = createHash('sha256');
    let last: Uint8Array | undefined;
    try {
      for await (const chunk of chunksOf(reading, target)) {
        if (last) yield last;
        hash.update(chunk);
        last = chunk;
      }
      if (hash.digest('hex') !== entry.key) throw new Damage('has bytes that were changed');
    } catch (error) {
      if (!(error instanceof Damage) || error instanceof Gone) throw error;
      throw await this.#judged(entry, doing, signal, error);
    }
    if (last) yield last;
  }

  /** Reads it once more: the bytes may have been changed on their way. If not, it is put aside. */
  async #judged(entry: Entry, doing: string, signal: AbortSignal, damage: Damage): Promise<Damage> {
    const hash = createHash('sha256');
    try {
      for await (const chunk of chunksOf(this.#readingOf(entry, doing, signal))) hash.update(chunk);
      if (hash.digest('hex') === entry.key)
        return new Damage('was changed on its way here; it is whole in the store');
    } catch (error) {
      if (!(error instanceof Damage)) throw error;
    }
    const { blobs } = this.#place;
    const there = await blobs.look(entry.key, doing, { whole: false, signal }).catch(asMissing);
    if (there?.id === entry.id) await blobs.putAside(entry.key, damage.message, there);
    return damage;
  }

  #readingOf({ id, byteLength }: Entry, doing: string, signal: AbortSignal): Reading {
    return { bucket: this.#place.bucket, name: dataNameOf(id), doing, byteLength, signal };
  }

  #admit(digest: string): void {
    this.#place.refuseClosed();
    assertBlobDigest(digest);
  }
}

async function* following(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield first;
  yield* rest;
}

function notAsLong(digest: string, byteLength: number, target: Uint8Array): RoutineEngineError {
  const message = `The blob ${digest} has ${byteLength} bytes, but is to be read into ${target.byteLength}`;
  return new RoutineEngineError('CONTENT_CORRUPT', message);
}

function agreed(digest: string, known: string | undefined): string {
  if (known === undefined || digest === known) return digest;
  const message = `The bytes given for the blob ${known} have the digest ${digest}`;
  throw new RoutineEngineError('CONTENT_CORRUPT', message);
}
