import path from 'node:path';
import type { RoutineEngineError, SweepOptions, SweptAmount } from '@routine-engine/core/adapter';
import { isCode, lstat, readdir, rmdir, storeError, unlink } from './file-access.js';
import type { Layout } from './layout.js';
import { isOfDeadWriter } from './writer-name.js';

/** A temporary file whose writer may live, but wrote nothing for this long, in milliseconds, is taken for left behind. */
const IDLE_WRITER_MS = 24 * 60 * 60 * 1000;
/** How long damaged files stay to be looked at, in milliseconds from when they were put aside. */
const CORRUPT_MS = 7 * 24 * 60 * 60 * 1000;
/** The longest time that a lease can last without being renewed, in milliseconds. */
const LONGEST_LEASE_MS = 60 * 60 * 1000;

/** Removes what nobody needs any more: of writers and holders of leases that died, and damaged files after some time. */
export class Leftovers {
  readonly #layout: Layout;
  readonly #now: () => number;

  constructor(layout: Layout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  /**
   * Removes all that can be removed, or says what that is.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE` when something could not, after all else is gone; the signal's reason.
   */
  async sweep(options: SweepOptions = {}): Promise<SweptAmount> {
    const { temporary, corrupt, leases } = this.#layout;
    const sweep = new Sweep(options, this.#now);
    await sweep.eachIn(temporary, (file) => sweep.removeTemporary(file));
    await sweep.eachIn(corrupt, (file) => sweep.removeOlder(file, 'ctimeMs', CORRUPT_MS));
    await sweep.eachIn(leases, (directory) => sweep.removeLeases(directory));
    if (sweep.failure) throw sweep.failure;
    return sweep.swept;
  }
}

class Sweep {
  readonly swept = { items: 0, byteLength: 0 };
  /** The first one. */
  failure: RoutineEngineError | undefined;
  readonly #options: SweepOptions;
  readonly #now: () => number;

  constructor(options: SweepOptions, now: () => number) {
    this.#options = options;
    this.#now = now;
  }

  /** One after the other: nobody waits for it, and everybody else needs the disk. */
  async eachIn(directory: string, remove: (file: string) => Promise<void>): Promise<void> {
    let names: readonly string[] = [];
    await this.#try(directory, async () => {
      names = await readdir(directory);
    });
    for (const name of names) {
      this.#options.signal?.throwIfAborted();
      const file = path.join(directory, name);
      await this.#try(file, () => remove(file));
    }
  }

  async removeTemporary(file: string): Promise<void> {
    await this.removeOlder(file, 'mtimeMs', isOfDeadWriter(path.basename(file)) ? -Infinity : IDLE_WRITER_MS);
  }

  async removeLeases(directory: string): Promise<void> {
    await this.eachIn(directory, (file) => this.removeOlder(file, 'mtimeMs', LONGEST_LEASE_MS));
    // Refused as long as there is a lease. Who is about to take one makes the directory again.
    if (this.#options.dryRun !== true) await rmdir(directory);
  }

  async removeOlder(file: string, time: 'mtimeMs' | 'ctimeMs', milliseconds: number): Promise<void> {
    const stat = await lstat(file);
    if (stat.isDirectory() || this.#now() - stat[time] <= milliseconds) return;
    if (this.#options.dryRun !== true) await unlink(file);
    this.swept.items += 1;
    this.swept.byteLength += stat.size;
  }

  /** What can't be removed now goes another time, and nothing else waits for it. */
  async #try(place: string, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      this.#options.signal?.throwIfAborted();
      // Others remove things, too, and put new ones into directories. What is no directory was put there by somebody else.
      if (isCode(error, 'ENOENT', 'ENOTEMPTY', 'EEXIST', 'ENOTDIR')) return;
      this.failure ??= storeError('sweep up what was left', place, error);
    }
  }
}
