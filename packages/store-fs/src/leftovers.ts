import path from 'node:path';
import { lstat, readdir, rmdir, unlink } from './file-access.js';
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
  #clearing: Promise<void> | undefined;

  constructor(layout: Layout, now: () => number) {
    this.#layout = layout;
    this.#now = now;
  }

  /** Resolves when all that could be removed is. Never rejects: what could not goes another time. */
  clear(): Promise<void> {
    this.#clearing ??= this.#clear();
    return this.#clearing;
  }

  /** Resolves when nothing is being removed. */
  async idle(): Promise<void> {
    await this.#clearing;
  }

  async #clear(): Promise<void> {
    const { temporary, corrupt, leases } = this.#layout;
    await Promise.allSettled([
      this.#eachIn(temporary, (file) => this.#removeTemporary(file)),
      this.#eachIn(corrupt, (file) => this.#removeOlder(file, 'ctimeMs', CORRUPT_MS)),
      this.#eachIn(leases, (directory) => this.#removeLeases(directory)),
    ]);
    this.#clearing = undefined;
  }

  /** One after the other: nobody waits for it, and everybody else needs the disk. */
  async #eachIn(directory: string, remove: (file: string) => Promise<void>): Promise<void> {
    for (const name of await readdir(directory))
      await Promise.allSettled([remove(path.join(directory, name))]);
  }

  async #removeTemporary(file: string): Promise<void> {
    if (isOfDeadWriter(path.basename(file))) await unlink(file);
    else await this.#removeOlder(file, 'mtimeMs', IDLE_WRITER_MS);
  }

  async #removeLeases(directory: string): Promise<void> {
    await this.#eachIn(directory, (file) => this.#removeOlder(file, 'mtimeMs', LONGEST_LEASE_MS));
    // Refused as long as there is a lease. Who is about to take one makes the directory again.
    await rmdir(directory);
  }

  async #removeOlder(file: string, time: 'mtimeMs' | 'ctimeMs', milliseconds: number): Promise<void> {
    const stat = await lstat(file);
    if (!stat.isDirectory() && this.#now() - stat[time] > milliseconds) await unlink(file);
  }
}
