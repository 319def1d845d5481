import { randomUUID } from 'node:crypto';
import path from 'node:path';
import {
  assertResultKey,
  type Lease,
  type LeaseStore,
  type ResultKey,
  RoutineEngineError,
  type StoreCallOptions,
  Gate,
} from '@routine-engine/core/adapter';
import { isCode, readdir, rmdir, setTimes, storeError, unlink } from './file-access.js';
import { makeDirectory } from './layout.js';
import {
  isTtl,
  type LeaseTerms,
  LONGEST_TTL_MS,
  makeLeaseFile,
  readLeaseFile,
  SHORTEST_TTL_MS,
} from './lease-file.js';
import { orStoreError, type StorePlace, unlessMissing } from './store-place.js';

/** Leases looked at or taken at once. */
const LOOKS_AT_ONCE = 16;
const FENCE = /^[1-9]\d{0,11}$/;

/** A lease that was taken: where its file is, and what it holds. */
interface TakenLease {
  readonly directory: string;
  readonly fence: number;
  readonly terms: LeaseTerms;
  /** For errors. */
  readonly key: ResultKey;
}

/**
 * The leases of an `FsStore`: for each key a directory of files that are named by a number. The one of the greatest
 * number counts, as long as it says from when its file was changed last; that a file is only made where there is none
 * decides between two who take the same number. Nothing of it has to outlast a power cut: nobody holds a lease then.
 */
export class FsLeases implements LeaseStore {
  readonly #place: StorePlace;
  readonly #looks = new Gate(LOOKS_AT_ONCE);
  readonly #held = new Set<Lease>();

  constructor(place: StorePlace) {
    this.#place = place;
  }

  async acquire(
    key: ResultKey,
    options: StoreCallOptions & { readonly holder: string; readonly ttlMs: number },
  ): Promise<Lease | undefined> {
    this.#place.refuseClosed();
    assertResultKey(key);
    const { holder, ttlMs, signal } = options;
    if (!isTtl(ttlMs)) throw wrongTtl(ttlMs);
    signal?.throwIfAborted();
    const taken = await this.#looks.run(() => this.#take(key, { holder, ttlMs, id: randomUUID() }));
    if (!taken) return undefined;
    const lease = this.#leaseOf(taken);
    this.#held.add(lease);
    if (!signal?.aborted) return lease;
    await lease.release();
    throw signal.reason;
  }

  /** Gives back all that is held, once nothing is under way. */
  async close(): Promise<void> {
    await this.#looks.idle();
    await Promise.allSettled(Array.from(this.#held, (lease) => lease.release()));
  }

  #leaseOf(taken: TakenLease): Lease {
    const lease: Lease = {
      renew: async () => {
        this.#place.refuseClosed();
        return this.#held.has(lease) && this.#looks.run(() => this.#renew(taken));
      },
      release: async () => {
        if (this.#held.delete(lease)) await this.#looks.run(() => this.#release(taken));
      },
    };
    return lease;
  }

  async #take(key: ResultKey, terms: LeaseTerms): Promise<TakenLease | undefined> {
    const directory = this.#place.layout.leasesOf(key);
    const doing = `take the lease of ${key}`;
    for (;;) {
      const made = this.#place.inPlace(async () => makeDirectory(directory));
      await orStoreError(doing, directory, made);
      const before = await unlessMissing(doing, directory, fencesIn(directory));
      const greatest = before?.[0] ?? 0;
      if (greatest > 0 && (await this.#isAlive(doing, fileOf(directory, greatest)))) return undefined;
      const taken = { directory, fence: greatest + 1, terms, key };
      const outcome = before ? await this.#make(doing, taken, before) : 'again';
      if (outcome === 'taken') return taken;
      if (outcome === 'lost') return undefined;
    }
  }

  async #isAlive(doing: string, file: string): Promise<boolean> {
    const found = await orStoreError(doing, file, readLeaseFile(file));
    // Either way: a clock that was far ahead must not make it last for ever.
    return found !== undefined && Math.abs(this.#place.now() - found.renewedAt) < found.ttlMs;
  }

  /**
   * `again` when whoever gave the last lease back removed the directory meanwhile, or when there is one that was not
   * seen before: whoever made that may give way as well, and if each of two left it at that nobody would hold the lease.
   * Since each removes its own before it looks again, the last to look finds the other's gone.
   */
  async #make(
    doing: string,
    { directory, fence, terms }: TakenLease,
    before: readonly number[],
  ): Promise<'taken' | 'lost' | 'again'> {
    const file = fileOf(directory, fence);
    try {
      await makeLeaseFile(file, terms, this.#place.now());
      // Who waited long since it looked may have made an old number anew: then there is one that it did not see.
      const after = await fencesIn(directory);
      const isAlone = after.every((other) => other === fence || before.includes(other));
      await remove(isAlone ? before.map((other) => fileOf(directory, other)) : [file]);
      return isAlone ? 'taken' : 'again';
    } catch (error) {
      if (isCode(error, 'EEXIST')) return 'lost';
      if (isCode(error, 'ENOENT')) return 'again';
      throw storeError(doing, file, error);
    }
  }

  async #renew(taken: TakenLease): Promise<boolean> {
    const { directory, fence, key } = taken;
    const file = fileOf(directory, fence);
    const doing = `renew the lease of ${key}`;
    const [greatest] = (await unlessMissing(doing, directory, fencesIn(directory))) ?? [];
    if (greatest !== fence || !(await this.#isOurs(doing, taken))) return false;
    const seconds = this.#place.now() / 1000;
    const renewed = setTimes(file, seconds, seconds).then(() => true);
    return (await unlessMissing(doing, file, renewed)) ?? false;
  }

  async #release(taken: TakenLease): Promise<void> {
    const { directory, fence, key } = taken;
    const file = fileOf(directory, fence);
    const doing = `give back the lease of ${key}`;
    if (!(await this.#isOurs(doing, taken))) return;
    await unlessMissing(doing, file, unlink(file));
    // Refused when somebody took the next one already.
    await Promise.allSettled([rmdir(directory)]);
  }

  async #isOurs(doing: string, { directory, fence, terms }: TakenLease): Promise<boolean> {
    const file = fileOf(directory, fence);
    return (await orStoreError(doing, file, readLeaseFile(file)))?.id === terms.id;
  }
}

function fileOf(directory: string, fence: number): string {
  return path.join(directory, String(fence));
}

/** The numbers of the leases in a directory, the greatest first. */
async function fencesIn(directory: string): Promise<number[]> {
  const names = await readdir(directory);
  return names
    .filter((name) => FENCE.test(name))
    .map(Number)
    .toSorted((one, other) => other - one);
}

/** What can't be removed now goes with other leftovers. */
async function remove(files: readonly string[]): Promise<void> {
  await Promise.allSettled(files.map((file) => unlink(file)));
}

function wrongTtl(ttlMs: unknown): RoutineEngineError {
  const wanted = `${SHORTEST_TTL_MS} to ${LONGEST_TTL_MS} milliseconds`;
  return new RoutineEngineError('OPTION_INVALID', `A lease lasts ${wanted}, not ${String(ttlMs)}`);
}
