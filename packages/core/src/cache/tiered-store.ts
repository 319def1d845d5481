import { merge, type Observable } from 'rxjs';
import type { StoreEvent } from '../events/engine-event.js';
import { assertResultKey, type ResultKey, type StoredResult } from '../model/result.js';
import type { BlobStore } from '../ports/blob-store.js';
import type { LeaseStore } from '../ports/lease-store.js';
import type {
  ResultEntry,
  ResultStore,
  ResultStoreCapabilities,
  StoreCallOptions,
  SweepOptions,
  SweptAmount,
} from '../ports/result-store.js';
import type { Copy } from './copy-queue.js';
import { copyResult, holdable } from './copy-result.js';
import { resultsOnce } from './each-once.js';
import { TierCopies } from './tier-copies.js';
import { TieredBlobs } from './tiered-blobs.js';
import { takes, Tiers, type TieredStoreSettings } from './tiers.js';

/**
 * Several stores as one. A get asks the fastest first; what a slower one has is copied to the faster ones, later and without
 * anybody waiting for it. One tier decides: its put counts, and its first writer wins. Faster tiers are copies, so that
 * what another node deleted may still be answered from them; what fails there is told as `store.failed`.
 * @public
 */
export class TieredStore implements ResultStore {
  readonly name = 'tiered';
  readonly identity: string;
  readonly capabilities: ResultStoreCapabilities;
  readonly events$: Observable<StoreEvent>;
  declare readonly blobs?: BlobStore;
  declare readonly leases?: LeaseStore;

  readonly #tiers: Tiers;
  readonly #copies: TierCopies;
  readonly #blobs: TieredBlobs | undefined;
  #closed: Promise<void> | undefined;

  /** @throws {@link RoutineEngineError} `OPTION_INVALID` when there is no tier. */
  constructor(settings: TieredStoreSettings) {
    const tiers = new Tiers(settings);
    const { all, home, slower, withBlobs } = tiers;
    this.#tiers = tiers;
    this.#copies = new TierCopies(settings.clock);
    this.identity = tiers.identity;
    this.capabilities = {
      durable: home.capabilities.durable,
      shared: [home, ...slower].every((tier) => tier.capabilities.shared),
    };
    this.events$ = merge(tiers.feed.events$, ...all.map((tier) => tier.events$));
    this.#blobs = withBlobs.length > 0 ? new TieredBlobs(tiers, settings.clock) : undefined;
    if (this.#blobs) this.blobs = this.#blobs;
    const leases = all.findLast((tier) => tier.leases)?.leases;
    if (leases) this.leases = leases;
  }

  async get(key: ResultKey, options?: StoreCallOptions): Promise<StoredResult | undefined> {
    this.#admit(key);
    options?.signal?.throwIfAborted();
    const { deletes } = this.#copies;
    const ask = (tier: ResultStore): Promise<StoredResult | undefined> => tier.get(key, options);
    const hit = await this.#tiers.find(this.#tiers.all, key, ask, options);
    if (!hit) return undefined;
    const { found, tier, faster } = hit;
    const known = deletes === this.#copies.deletes ? holdable(found) : undefined;
    if (faster.length > 0) this.#copies.promote(key, this.#copyTo(faster, key, tier, known));
    return found;
  }

  async put(key: ResultKey, result: StoredResult, options?: StoreCallOptions): Promise<'stored' | 'present'> {
    this.#admit(key);
    options?.signal?.throwIfAborted();
    return this.#tiers.during(() => this.#put(key, result, options));
  }

  async has(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    const ask = async (tier: ResultStore): Promise<true | undefined> => (await tier.has(key)) || undefined;
    return (await this.#tiers.find(this.#tiers.all, key, ask)) !== undefined;
  }

  async delete(key: ResultKey): Promise<boolean> {
    this.#admit(key);
    const { all } = this.#tiers;
    const remove = (): Promise<boolean> => this.#tiers.each(all, (tier) => tier.delete(key));
    return this.#tiers.during(() => this.#copies.forget(key, remove));
  }

  async pin(key: ResultKey, pinned: boolean): Promise<boolean> {
    this.#admit(key);
    return this.#tiers.during(async () => {
      // A slower tier is to pin what it is only about to get.
      await this.#copies.followed(key);
      return this.#tiers.each(this.#tiers.all, (tier) => tier.pin(key, pinned));
    });
  }

  async *list(): AsyncGenerator<ResultEntry> {
    this.#tiers.refuseClosed();
    for await (const entry of resultsOnce(this.#tiers)) {
      this.#tiers.refuseClosed();
      yield entry;
    }
  }

  /** Sweeps every tier. @returns what went in all of them. */
  async sweep(options?: SweepOptions): Promise<SweptAmount> {
    this.#tiers.refuseClosed();
    options?.signal?.throwIfAborted();
    let items = 0;
    let byteLength = 0;
    await this.#tiers.during(() =>
      this.#tiers.each(this.#tiers.all, async (tier) => {
        const swept = await tier.sweep?.(options);
        items += swept?.items ?? 0;
        byteLength += swept?.byteLength ?? 0;
        return swept !== undefined;
      }),
    );
    return { items, byteLength };
  }

  /** Waits for copies to slower tiers as well, each of which is tried a few times at most; then closes every tier. */
  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    await this.#tiers.close();
    await Promise.all([this.#copies.close(), this.#blobs?.close()]);
    const closed = await Promise.allSettled(this.#tiers.all.map((tier) => tier.close()));
    this.#tiers.feed.complete();
    for (const tier of closed) if (tier.status === 'rejected') throw tier.reason;
  }

  async #put(
    key: ResultKey,
    result: StoredResult,
    options: StoreCallOptions | undefined,
  ): Promise<'stored' | 'present'> {
    const { home, faster, slower } = this.#tiers;
    const { deletes } = this.#copies;
    const outcome = await home.put(key, result, options);
    // Only what home keeps: of two writers the first wins, also for whoever asks a faster tier.
    if (outcome === 'stored' && result.body.parts)
      await this.#copies.fill(key, deletes, () => this.#fill(key, result));
    else if (outcome === 'stored' && faster.length > 0)
      this.#copies.promote(key, this.#copyTo(faster, key, home, undefined));
    if (slower.length > 0) await this.#copies.follow(key, this.#copyTo(slower, key, home, undefined));
    return outcome;
  }

  async #fill(key: ResultKey, result: StoredResult): Promise<void> {
    const tiers = this.#tiers.faster.filter((tier) => takes(tier, result.metadata));
    await Promise.all(
      tiers.map((tier) =>
        this.#fillOne(tier, key, result).catch((error: unknown) => this.#tiers.tell(tier, key, 'put', error)),
      ),
    );
  }

  async #fillOne(tier: ResultStore, key: ResultKey, result: StoredResult): Promise<void> {
    for (const { digest } of tier.blobs ? (result.metadata.blobs ?? []) : []) {
      // It gets both when they are first read.
      if (!(await tier.blobs?.get(digest))) return;
    }
    if ((await tier.put(key, result)) === 'stored') return;
    // One that another node has deleted from home since.
    await tier.delete(key);
    await tier.put(key, result);
  }

  #copyTo(
    tiers: readonly ResultStore[],
    key: ResultKey,
    from: ResultStore,
    known: StoredResult | undefined,
  ): Copy {
    return this.#tiers.copyTo(tiers, key, (tier, options) =>
      copyResult(this.#tiers, key, from, tier, known, options),
    );
  }

  #admit(key: ResultKey): void {
    this.#tiers.refuseClosed();
    assertResultKey(key);
  }
}
