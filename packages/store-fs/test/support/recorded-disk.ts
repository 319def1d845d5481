import type * as Fs from 'node:fs';
import { setImmediate } from 'node:timers';
import type { Seeded } from './seeded.ts';

/** One change of what is on the disk, or something noted in between. Files and directories are named by their inode. */
export type Step =
  | { readonly type: 'write'; readonly inode: number; readonly at: number; readonly bytes: Uint8Array }
  | { readonly type: 'sync'; readonly inode: number }
  | { readonly type: 'names'; readonly changes: readonly NameChange[] }
  | { readonly type: 'note'; readonly note: unknown };

/** A name in a directory that stands for something else from now on; for nothing when there is no `inode`. */
export interface NameChange {
  readonly directory: number;
  readonly name: string;
  readonly inode: number | undefined;
  readonly isDirectory: boolean;
}

type Callback = (error: Error | null, value?: unknown) => void;

/**
 * Does what a store asks of the file system, and records it: each operation at once, and told some turns of the loop
 * later, so that operations of several calls come between each other in ways that a seed decides. Syncs are recorded only.
 */
export class RecordedDisk {
  /** Inode of the directory that is recorded. */
  readonly root = 0;
  readonly steps: Step[] = [];
  readonly #fs: typeof Fs;
  #directory: string | undefined;
  #chance: Seeded | undefined;
  readonly #inodes = new Map<string, number>();
  readonly #open = new Map<number, { readonly inode: number; at: number }>();
  #made = 0;

  constructor(fs: typeof Fs) {
    this.#fs = fs;
  }

  /** From now on what happens in that directory, which is empty, is recorded. */
  start(directory: string, chance: Seeded): void {
    this.#directory = directory;
    this.#chance = chance;
    this.steps.length = 0;
    this.#inodes.clear();
    this.#inodes.set(directory, this.root);
    this.#made = 0;
  }

  stop(): void {
    this.#directory = undefined;
  }

  note(note: unknown): void {
    this.steps.push({ type: 'note', note });
  }

  /** What stands in for the functions of `node:fs` that change something. */
  functions(): Record<string, (...args: never[]) => unknown> {
    const fs = this.#fs;
    const paths = (real: (...args: never[]) => void, now: (...args: string[]) => unknown) =>
      this.#asynchronous(real, (args) =>
        this.#isIn(args[0]) ? () => now(...(args as string[])) : undefined,
      );
    const ofFiles = (
      real: (...args: never[]) => void,
      now: (file: number, pieces: Uint8Array[]) => unknown,
    ) =>
      this.#asynchronous(real, ([file, pieces]) =>
        this.#open.has(file as number) ? () => now(file as number, pieces as Uint8Array[]) : undefined,
      );
    return {
      open: paths(fs.open, (file, ...how) => this.#openNow(file, ...how)),
      link: paths(fs.link, (from, to) => this.#link(from, to)),
      rename: paths(fs.rename, (from, to) => this.#rename(from, to)),
      unlink: paths(fs.unlink, (file) => this.#remove(file, () => fs.unlinkSync(file))),
      rmdir: paths(fs.rmdir, (directory) => this.#remove(directory, () => fs.rmdirSync(directory))),
      writev: ofFiles(fs.writev, (file, pieces) => this.#write(file, pieces)),
      fsync: ofFiles(fs.fsync, (file) => this.#sync(file)),
      close: ofFiles(fs.close, (file) => this.#close(file)),
      mkdirSync: (directory: string, options: Fs.MakeDirectoryOptions) =>
        this.#makeDirectory(directory, options),
      openSync: (file: string, ...how: never[]) =>
        this.#isIn(file) ? this.#openNow(file, ...how) : fs.openSync(file, ...(how as unknown as ['r'])),
      fsyncSync: (file: number) => (this.#open.has(file) ? this.#sync(file) : fs.fsyncSync(file)),
      closeSync: (file: number) => this.#close(file),
    };
  }

  #isIn(file: unknown): boolean {
    return this.#directory !== undefined && String(file).startsWith(this.#directory);
  }

  #asynchronous(
    real: (...args: never[]) => void,
    recorded: (args: readonly unknown[]) => (() => unknown) | undefined,
  ): (...args: never[]) => void {
    return (...args) => {
      const now = recorded(args.slice(0, -1));
      if (!now) return real(...args);
      const done = args.at(-1) as unknown as Callback;
      let [error, value]: [Error | null, unknown] = [null, undefined];
      try {
        value = now();
      } catch (thrown) {
        error = thrown as Error;
      }
      const tell = (turns: number): unknown =>
        turns > 0 ? setImmediate(() => tell(turns - 1)) : done(error, value);
      tell(1 + (this.#chance?.below(4) ?? 0));
    };
  }

  #openNow(file: string, ...how: never[] | string[]): number {
    const opened = this.#fs.openSync(file, ...(how as ['r']));
    let inode = this.#inodes.get(file);
    if (inode === undefined) {
      inode = this.#newInode(file);
      this.steps.push({ type: 'names', changes: [this.#named(file, inode, false)] });
    }
    this.#open.set(opened, { inode, at: 0 });
    return opened;
  }

  #link(from: string, to: string): void {
    this.#fs.linkSync(from, to);
    const inode = this.#inodeOf(from);
    this.#inodes.set(to, inode);
    this.steps.push({ type: 'names', changes: [this.#named(to, inode, false)] });
  }

  #rename(from: string, to: string): void {
    this.#fs.renameSync(from, to);
    const inode = this.#inodeOf(from);
    this.#inodes.delete(from);
    this.#inodes.set(to, inode);
    const changes = [this.#named(from, undefined, false), this.#named(to, inode, false)];
    this.steps.push({ type: 'names', changes });
  }

  #remove(file: string, remove: () => void): void {
    remove();
    this.#inodes.delete(file);
    this.steps.push({ type: 'names', changes: [this.#named(file, undefined, false)] });
  }

  #makeDirectory(directory: string, options: Fs.MakeDirectoryOptions): string | undefined {
    const isNew = this.#isIn(directory) && !this.#inodes.has(directory);
    const above = directory.slice(0, directory.lastIndexOf('/'));
    const madeAbove = isNew && options.recursive ? this.#makeDirectory(above, options) : undefined;
    const made = this.#fs.mkdirSync(directory, options);
    if (!isNew) return made;
    const inode = this.#newInode(directory);
    this.steps.push({ type: 'names', changes: [this.#named(directory, inode, true)] });
    return madeAbove ?? directory;
  }

  #write(file: number, pieces: readonly Uint8Array[]): number {
    const bytes = Buffer.concat(pieces);
    this.#fs.writeSync(file, bytes);
    const open = this.#open.get(file);
    if (!open) throw new Error('The file is not open');
    this.steps.push({ type: 'write', inode: open.inode, at: open.at, bytes });
    open.at += bytes.byteLength;
    return bytes.byteLength;
  }

  #sync(file: number): void {
    const open = this.#open.get(file);
    if (open) this.steps.push({ type: 'sync', inode: open.inode });
  }

  #close(file: number): void {
    this.#fs.closeSync(file);
    this.#open.delete(file);
  }

  #named(file: string, inode: number | undefined, isDirectory: boolean): NameChange {
    const slash = file.lastIndexOf('/');
    const directory = this.#inodeOf(file.slice(0, slash));
    return { directory, name: file.slice(slash + 1), inode, isDirectory };
  }

  #newInode(file: string): number {
    const inode = (this.#made += 1);
    this.#inodes.set(file, inode);
    return inode;
  }

  #inodeOf(file: string): number {
    const inode = this.#inodes.get(file);
    if (inode === undefined) throw new Error(`${file} was made by nobody`);
    return inode;
  }
}
