import { RoutineEngineError } from '../errors/routine-engine-error.js';
import { assertBlobDigest, type StoredBlob } from '../model/stored-blob.js';
import { untilAborted } from '../model/until-aborted.js';
import type { BlobEntry, BlobStore, KeptBlob } from '../ports/blob-store.js';
import type { Clock } from '../ports/clock.js';
import type { StoreCallOptions } from '../ports/result-store.js';
import type { Copy } from './copy-queue.js';
import { copyBlob } from './copy-result.js';
import { blobsOnce } from './each-once.js';
import { readInto } from './read-chunks.js';
import { TierCopies } from './tier-copies.js';
import { hasBlobs, type BlobTier, type Tiers } from './tiers.js';

/** The blobs of a `TieredStore`, in those of its tiers that keep some. */
export class TieredBlobs implements BlobStore {
  readonly #tiers: Tiers;
  readonly #copies: TierCopies;
  readonly #faster: readonly BlobTier[];
  readonly #slower: readonly BlobTier[];

  constructor(tiers: Tiers, clock: Clock) {
    this.#tiers = tiers;
    this.#copies = new TierCopies(clock);
    this.#faster = tiers.faster.filter(hasBlobs);
    this.#slower = tiers.slower.filter(hasBlobs);
  }

  /** Bytes in memory go to the faster tiers at once, chunks when they are first read: they come only once. */
  async put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreCallOptions & { readonly digest?: string } = {},
  ): Promise<KeptBlob> {
    this.#tiers.refuseClosed();
    if (options.digest !== undefined) assertBlobDigest(options.digest);
    return this.#tiers.during(() => this.#put(source, options));
  }

  async get(digest: string, options?: StoreCallOptions): Promise<StoredBlob | undefined> {
    this.#admit(digest);
    options?.signal?.throwIfAborted();
    const ask = (tier: BlobTier): Promise<StoredBlob | undefined> => tier.blobs.get(digest, options);
    const hit = await this.#tiers.find(this.#tiers.withBlobs, digest, ask, options);
    if (!hit) return undefined;
    if (hit.faster.length > 0) this.#copies.promote(digest, this.#copyTo(hit.faster, digest));
    return this.#blobOf(hit.found);
  }

  async delete(digest: string): Promise<boolean> {
    this.#admit(digest);
    const { withBlobs } = this.#tiers;
    return this.#tiers.during(() =>
      this.#copies.forget(digest, () => this.#tiers.each(withBlobs, (tier) => tier.blobs.delete(digest))),
    );
  }

  async *list(): AsyncGenerator<BlobEntry> {
    this.#tiers.refuseClosed();
    for await (const entry of blobsOnce(this.#tiers)) {
      this.#tiers.refuseClosed();
      yield entry;
    }
  }

  /** When nothing is under way any more. */
  close(): Promise<void> {
    return this.#copies.close();
  }

  async #put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options: StoreCallOptions & { readonly digest?: string },
  ): Promise<KeptBlob> {
    const { deletes } = this.#copies;
    const { blobs } = this.#tiers.home as BlobTier;
    const { blob, outcome } = await blobs.put(source, options);
    const { digest } = blob;
    if (source instanceof Uint8Array)
      await this.#copies.fill(digest, deletes, () => this.#fill(source, digest));
    if (this.#slower.length > 0) await this.#copies.follow(digest, this.#copyTo(this.#slower, digest));
    return { blob: this.#blobOf(blob), outcome };
  }

  async #fill(bytes: Uint8Array, digest: string): Promise<void> {
    const fills = this.#faster.map((tier) =>
      tier.blobs
        .put(bytes, { digest })
        .catch((error: unknown) => this.#tiers.tell(tier, digest, 'put', error)),
    );
    await Promise.all(fills);
  }

  #copyTo(tiers: readonly BlobTier[], digest: string): Copy {
    return this.#tiers.copyTo(tiers, digest, (tier, options) => copyBlob(this.#tiers, digest, tier, options));
  }

  /** Read from the fastest tier that has it by then. */
  #blobOf({ digest, byteLength }: StoredBlob): StoredBlob {
    return {
      digest,
      byteLength,
      chunks: (options) => untilAborted(this.#chunksOf(digest, options), options?.signal),
      readInto: (target, options) => this.#readInto(target, digest, options),
    };
  }

  async *#chunksOf(digest: string, options: StoreCallOptions | undefined): AsyncGenerator<Uint8Array> {
    for (const [at, tier] of this.#tiers.withBlobs.entries()) {
      this.#tiers.refuseClosed();
      let given = false;
      try {
        const blob = await this.#open(tier, at, digest, options);
        if (!blob) continue;
        for await (const chunk of blob.chunks(options)) {
          given = true;
          yield chunk;
        }
        return;
      } catch (error) {
        // After the first chunk another copy can't take over: nobody knows whether what was given is right.
        if (given || !this.#mayGoOn(at, error)) throw error;
      }
    }
    throw missing(digest);
  }

  async #readInto(target: Uint8Array, digest: string, options: StoreCallOptions | undefined): Promise<void> {
    for (const [at, tier] of this.#tiers.withBlobs.entries()) {
      this.#tiers.refuseClosed();
      try {
        const blob = await this.#open(tier, at, digest, options);
        if (blob) return await readInto(target, blob, options);
      } catch (error) {
        if (!this.#mayGoOn(at, error)) throw error;
      }
    }
    throw missing(digest);
  }

  /** A slower tier stands in for one that can't be asked. */
  async #open(
    tier: BlobTier,
    at: number,
    digest: string,
    options: StoreCallOptions | undefined,
  ): Promise<StoredBlob | undefined> {
    try {
      return await tier.blobs.get(digest, options);
    } catch (error) {
      options?.signal?.throwIfAborted();
      if (at === this.#tiers.withBlobs.length - 1) throw error;
      this.#tiers.tell(tier, digest, 'get', error);
      return undefined;
    }
  }

  #mayGoOn(at: number, error: unknown): boolean {
    const isOfTheCopy =
      error instanceof RoutineEngineError &&
      (error.code === 'CONTENT_MISSING' || error.code === 'CONTENT_CORRUPT');
    return isOfTheCopy && at < this.#tiers.withBlobs.length - 1;
  }

  #admit(digest: string): void {
    this.#tiers.refuseClosed();
    assertBlobDigest(digest);
  }
}

function missing(digest: string): RoutineEngineError {
  return new RoutineEngineError('CONTENT_MISSING', `No tier has the content ${digest} any more`);
}
