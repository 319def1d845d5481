import type { Clock } from '../ports/clock.js';
import { CopyQueue, type Copy } from './copy-queue.js';

/** Copies to faster tiers that are made at once, and that are made or wait. More are not made: the next get will ask again. */
const PROMOTED_AT_ONCE = 4;
const MOST_PROMOTED = 64;
/** The same of copies to slower tiers. With more a put waits. */
const FOLLOWING_AT_ONCE = 8;
const MOST_FOLLOWING = 1_000;
const ATTEMPTS = 5;

/**
 * Copies between tiers, each named by what is copied. A delete ends those of its name, and none begins until it is done, so that
 * nothing comes back that was deleted.
 */
export class TierCopies {
  readonly #promotions: CopyQueue;
  readonly #following: CopyQueue;
  readonly #fills = new Map<string, Promise<void>>();
  readonly #deletes = new Map<string, Promise<unknown>>();
  #count = 0;

  constructor(clock: Clock) {
    this.#promotions = new CopyQueue({ clock, atOnce: PROMOTED_AT_ONCE, most: MOST_PROMOTED, attempts: 1 });
    this.#following = new CopyQueue({
      clock,
      atOnce: FOLLOWING_AT_ONCE,
      most: MOST_FOLLOWING,
      attempts: ATTEMPTS,
    });
  }

  /** Changes whenever a delete begins or ends: what was read before may be out of date then. */
  get deletes(): number {
    return this.#count;
  }

  /** Has a copy made to faster tiers, unless there are too many already. */
  promote(id: string, copy: Copy): void {
    if (this.#promotions.isFull || this.#deletes.has(id)) return;
    this.#promotions.add(id, copy);
  }

  /** Has a copy made to slower tiers. Resolves when there is room for it. */
  async follow(id: string, copy: Copy): Promise<void> {
    while (this.#following.isFull || this.#deletes.has(id)) {
      await this.#following.room();
      await Promise.allSettled([this.#deletes.get(id)]);
    }
    this.#following.add(id, copy);
  }

  /** Resolves when no copy to slower tiers is made or waits. */
  followed(id: string): Promise<void> {
    return this.#following.settled(id);
  }

  /**
   * Puts what was put just now into faster tiers, unless something was deleted meanwhile.
   * @param since - {@link TierCopies.deletes} before the put.
   * @param put - never rejects.
   */
  async fill(id: string, since: number, put: () => Promise<void>): Promise<void> {
    while (this.#fills.has(id)) await this.#fills.get(id);
    if (since !== this.#count) return;
    const filling = put();
    this.#fills.set(id, filling);
    await filling;
    this.#fills.delete(id);
  }

  /** Deletes, one delete of a name after the other. */
  async forget(id: string, remove: () => Promise<boolean>): Promise<boolean> {
    while (this.#deletes.has(id)) await Promise.allSettled([this.#deletes.get(id)]);
    this.#count += 1;
    const removing = this.#end(id).then(remove);
    this.#deletes.set(id, removing);
    try {
      return await removing;
    } finally {
      this.#deletes.delete(id);
      this.#count += 1;
    }
  }

  /** Gives up copies to faster tiers, and waits for those to slower ones. */
  async close(): Promise<void> {
    await Promise.all([this.#promotions.stop(), this.#following.drain()]);
  }

  async #end(id: string): Promise<void> {
    await Promise.all([this.#promotions.cancel(id), this.#following.cancel(id), this.#fills.get(id)]);
  }
}
