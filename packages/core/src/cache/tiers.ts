import { toPlainError } from '../errors/error-conversion.js';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { StoreEvent } from '../events/engine-event.js';
import { EventFeed } from '../events/event-feed.js';
import type { ResultMetadata } from '../model/result.js';
import type { StoredBlob } from '../model/stored-blob.js';
import type { BlobStore } from '../ports/blob-store.js';
import type { Clock } from '../ports/clock.js';
import type { ResultStore, StoreCallOptions } from '../ports/result-store.js';
import type { Copy } from './copy-queue.js';

/** How a {@link TieredStore} is set up. @public */
export interface TieredStoreSettings {
  /** Fastest first. They are the tiered store's own from now on, which closes them. */
  readonly tiers: readonly ResultStore[];
  /** See `tiered()`. Default `through`. */
  readonly write?: 'through' | 'back';
  readonly clock: Clock;
  /** Name of this node, for events. */
  readonly node: string;
}

/** A tier that has blobs. */
export type BlobTier = ResultStore & { readonly blobs: BlobStore };

/** What a tier had. */
export interface Hit<Tier, T> {
  readonly found: T;
  readonly tier: Tier;
  /** The tiers that were asked before. */
  readonly faster: readonly Tier[];
}

/** Several stores, the fastest first, and which of them decides what is kept. */
export class Tiers {
  readonly all: readonly ResultStore[];
  /** Its put is what counts as kept, and of two writers to it the first wins. */
  readonly home: ResultStore;
  /** Copies, for speed only: what fails there is told, and harms nobody. */
  readonly faster: readonly ResultStore[];
  /** They get what home has, later. */
  readonly slower: readonly ResultStore[];
  /** None unless the last tier keeps blobs, since then it could not have all. */
  readonly withBlobs: readonly BlobTier[];
  readonly feed = new EventFeed<StoreEvent>();
  readonly #clock: Clock;
  readonly #node: string;
  readonly #underWay = new Set<Promise<unknown>>();
  #isClosed = false;

  /** @throws {@link RoutineEngineError} `OPTION_INVALID` when there is no tier. */
  constructor({ tiers, write = 'through', clock, node }: TieredStoreSettings) {
    const last = tiers.at(-1);
    if (!last) throw new RoutineEngineError('OPTION_INVALID', 'A tiered store needs at least one tier');
    const canBeHome = (tier: ResultStore): boolean =>
      tier.capabilities.durable && (tier.blobs !== undefined || !last.blobs);
    this.all = tiers;
    this.home = (write === 'back' ? tiers.find(canBeHome) : undefined) ?? last;
    const at = tiers.indexOf(this.home);
    this.faster = tiers.slice(0, at);
    this.slower = tiers.slice(at + 1);
    this.withBlobs = last.blobs ? tiers.filter(hasBlobs) : [];
    this.#clock = clock;
    this.#node = node;
  }

  /** Of the store that they make: of the tiers that have everything, so that those who share these agree. */
  get identity(): string {
    return `tiered:${[this.home, ...this.slower].map((tier) => tier.identity).join('+')}`;
  }

  /** @throws {@link RoutineEngineError} `STORE_CLOSED`. */
  refuseClosed(): void {
    if (!this.#isClosed) return;
    throw new RoutineEngineError('STORE_CLOSED', `The store ${this.identity} is closed`);
  }

  /** Does something that {@link Tiers.close} waits for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    const working = work();
    this.#underWay.add(working);
    try {
      return await working;
    } finally {
      this.#underWay.delete(working);
    }
  }

  /** Refuses everything from now on, and resolves when nothing is under way. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await Promise.allSettled(this.#underWay);
  }

  /**
   * Asks tier after tier until one has something.
   * @throws what a tier threw that could have had what no other has; the reason of the signal.
   */
  async find<Tier extends ResultStore, T>(
    tiers: readonly Tier[],
    id: string,
    ask: (tier: Tier) => Promise<T | undefined>,
    options?: StoreCallOptions,
  ): Promise<Hit<Tier, T> | undefined> {
    let failure: { readonly error: unknown } | undefined;
    for (const [at, tier] of tiers.entries()) {
      try {
        const found = await ask(tier);
        if (found !== undefined) return { found, tier, faster: tiers.slice(0, at) };
      } catch (error) {
        options?.signal?.throwIfAborted();
        // The last one is told by who asked.
        if (at < tiers.length - 1) this.tell(tier, id, 'get', error);
        if (!this.faster.includes(tier)) failure ??= { error };
      }
    }
    if (failure) throw failure.error;
    return undefined;
  }

  /** @throws {@link RoutineEngineError} `CONTENT_MISSING` when no tier has that blob; what they throw. */
  async findBlob(digest: string, options?: StoreCallOptions): Promise<StoredBlob> {
    const hit = await this.find(this.withBlobs, digest, (tier) => tier.blobs.get(digest, options), options);
    if (hit) return hit.found;
    throw new RoutineEngineError('CONTENT_MISSING', `No tier has the content ${digest}`);
  }

  /**
   * Does something to every tier, the slowest first.
   * @returns whether any said yes.
   * @throws what the first that failed threw, when all were asked.
   */
  async each<Tier extends ResultStore>(
    tiers: readonly Tier[],
    act: (tier: Tier) => Promise<boolean>,
  ): Promise<boolean> {
    const failures: unknown[] = [];
    let did = false;
    for (const tier of tiers.toReversed()) {
      try {
        did = (await act(tier)) || did;
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return did;
  }

  /** A copy to each of some tiers, whatever becomes of the others. What fails in the end is told. */
  copyTo<Tier extends ResultStore>(
    tiers: readonly Tier[],
    id: string,
    copy: (tier: Tier, options: { readonly signal: AbortSignal }) => Promise<void>,
  ): Copy {
    const left = new Set(tiers);
    const failures = new Map<Tier, unknown>();
    return {
      run: async (signal) => {
        failures.clear();
        for (const tier of left) {
          await copy(tier, { signal }).then(
            () => left.delete(tier),
            (error: unknown) => failures.set(tier, error),
          );
        }
        for (const error of failures.values()) throw error;
      },
      failed: () => {
        for (const [tier, error] of failures) this.tell(tier, id, 'put', error);
      },
    };
  }

  /** Tells that a tier failed where another stood in for it. */
  tell(tier: ResultStore, key: string, operation: 'get' | 'put', error: unknown): void {
    if (!this.feed.observed) return;
    this.feed.emit({
      ...{ type: 'store.failed', at: this.#clock.now(), node: this.#node, store: tier.name, key, operation },
      error: toPlainError(error),
    });
  }
}

export function hasBlobs(tier: ResultStore): tier is BlobTier {
  return tier.blobs !== undefined;
}

/**
 * Whether a tier may have such a result. One that others may open alone must have its blobs as well; what only this process sees
 * need not, since blobs are asked of all tiers.
 */
export function takes(tier: ResultStore, { blobs = [] }: ResultMetadata): boolean {
  return blobs.length === 0 || tier.blobs !== undefined || !tier.capabilities.shared;
}
