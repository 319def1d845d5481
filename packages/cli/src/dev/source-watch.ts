import { type FSWatcher, watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { extname, join } from 'node:path';

const SOURCES = new Set(['.ts', '.mts', '.cts', '.tsx', '.js', '.mjs', '.cjs', '.json']);
const IGNORED = new Set(['node_modules', 'dist', 'coverage', 'temp']);
/** A system watches only so many. */
const MOST_FOLDERS = 2_000;
/** An editor that saves touches a file several times. */
const SETTLE_MS = 100;

/** Watches the sources below a folder, but not what was installed, built or hidden there. */
export class SourceWatch {
  readonly #onChange: () => void;
  readonly #watchers = new Map<string, FSWatcher>();
  #settling: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  /** @param onChange - hears of changes, once for those that come together. */
  static async open(dir: string, onChange: () => void): Promise<SourceWatch> {
    const opened = new SourceWatch(onChange);
    await opened.#add(dir);
    return opened;
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#settling);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }

  async #add(dir: string): Promise<void> {
    if (this.#isClosed || this.#watchers.has(dir) || this.#watchers.size >= MOST_FOLDERS) return;
    const entries = await readdir(dir, { withFileTypes: true }).catch(() => undefined);
    // It has gone meanwhile, or was closed.
    if (!entries || this.#isClosed) return;
    const watcher = watch(dir, (_kind, name) => this.#changed(dir, name));
    watcher.on('error', () => this.#remove(dir));
    this.#watchers.set(dir, watcher);
    for (const entry of entries)
      if (entry.isDirectory() && isWatched(entry.name)) await this.#add(join(dir, entry.name));
  }

  #remove(dir: string): void {
    this.#watchers.get(dir)?.close();
    this.#watchers.delete(dir);
  }

  #changed(dir: string, name: string | null): void {
    if (name === null || !isWatched(name)) return;
    // A folder that is new; what is none fails to be read.
    if (extname(name) === '') return void this.#add(join(dir, name));
    if (!SOURCES.has(extname(name))) return;
    clearTimeout(this.#settling);
    this.#settling = setTimeout(this.#onChange, SETTLE_MS);
  }
}

function isWatched(name: string): boolean {
  return !name.startsWith('.') && !IGNORED.has(name);
}
