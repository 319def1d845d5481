import { randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { ResultKey } from '@routine-engine/core/adapter';
import { DIRECTORY_MODE, isCode, storeError, syncDirectory, syncDirectoryNow } from './file-access.js';
import { newTemporaryName } from './writer-name.js';

const SUFFIX = '.result';
const PIN_SUFFIX = '.pinned';
const SHARD = /^[0-9a-f]{2}$/;
const RESULT = /^([0-9a-f]{64})\.result$/;
const PIN = /^([0-9a-f]{64})\.pinned$/;
const BLOB = /^[0-9a-f]{64}$/;

/** Where things are under the directory of a store. It alone puts keys and digests into paths: only valid ones get here. */
export class Layout {
  /** The directory itself, without symbolic links. */
  readonly root: string;
  readonly results: string;
  readonly blobs: string;
  readonly leases: string;
  /** Files that are being written. */
  readonly temporary: string;
  /** Damaged files, put aside. */
  readonly corrupt: string;
  readonly #durable: boolean;
  readonly #shards = new Map<string, Promise<void>>();

  /**
   * Makes the directory when it is not there.
   * @param durable - whether directories are to outlast a power cut once something is in them.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE` or `STORE_FULL`.
   */
  constructor(dir: string, durable: boolean) {
    this.#durable = durable;
    try {
      const made = fs.mkdirSync(dir, { recursive: true, mode: DIRECTORY_MODE });
      this.root = fs.realpathSync(dir);
      if (made && durable) syncAbove(this.root, fs.realpathSync(path.dirname(made)));
    } catch (error) {
      throw storeError('open a store', path.resolve(dir), error);
    }
    this.results = path.join(this.root, 'v1');
    this.blobs = path.join(this.results, 'blobs');
    this.leases = path.join(this.results, 'leases');
    this.temporary = path.join(this.results, 'tmp');
    this.corrupt = path.join(this.results, 'corrupt');
    this.prepare();
  }

  /** Makes the directories that every operation needs; again, when somebody emptied the place. */
  prepare(): void {
    this.#shards.clear();
    const { root, results, blobs, leases, temporary, corrupt } = this;
    for (const directory of [root, results, blobs, leases, temporary, corrupt]) {
      try {
        makeDirectory(directory);
      } catch (error) {
        throw storeError('open a store', directory, error);
      }
    }
    if (this.#durable) syncAbove(blobs, root);
  }

  pathOf(key: ResultKey): string {
    // Not path.join: it takes as long as a tenth of the whole lookup, and there is nothing to normalize.
    return this.results + path.sep + key.slice(0, 2) + path.sep + key + SUFFIX;
  }

  /** The file that is there while the result of that key is pinned. */
  pinPathOf(key: ResultKey): string {
    return path.join(this.results, key.slice(0, 2), key + PIN_SUFFIX);
  }

  /** The directory of the leases of one result. */
  leasesOf(key: ResultKey): string {
    return path.join(this.leases, key);
  }

  blobPathOf(digest: string): string {
    return this.blobs + path.sep + digest.slice(0, 2) + path.sep + digest;
  }

  /** A path of its own for a file that is being written: in the same file system, so that it can be linked. */
  newTemporary(): string {
    return path.join(this.temporary, newTemporaryName());
  }

  /** A path of its own for a damaged file, which begins with its key or digest. */
  newCorrupt(key: string): string {
    return path.join(this.corrupt, `${key}.${randomUUID()}`);
  }

  /** Those of the names in `above`, which is `results` or `blobs`, that are directories of files, as paths. */
  shardsIn(above: string, names: readonly string[]): string[] {
    return names.filter((name) => SHARD.test(name)).map((name) => path.join(above, name));
  }

  /** The key that a file name in a directory of results stands for; `undefined` when it is no result of that directory. */
  keyIn(shard: string, name: string): ResultKey | undefined {
    return keyOf(RESULT, shard, name);
  }

  /** The key of the result that a file name in a directory of results says is pinned; `undefined` when it is no pin. */
  pinnedIn(shard: string, name: string): ResultKey | undefined {
    return keyOf(PIN, shard, name);
  }

  /** Whether a file name in a directory of blobs stands for a blob of that directory. */
  isDigestIn(shard: string, name: string): boolean {
    return BLOB.test(name) && name.startsWith(path.basename(shard));
  }

  /** Makes the directory for the file of a result or blob. */
  async makeShardOf(file: string): Promise<void> {
    const shard = path.dirname(file);
    let made = this.#shards.get(shard);
    if (!made) {
      made = this.#make(shard);
      this.#shards.set(shard, made);
      // Forgotten, so that the next one tries again.
      made.catch(() => this.#shards.delete(shard));
    }
    await made;
  }

  async #make(shard: string): Promise<void> {
    makeDirectory(shard);
    // Also when it was there: whoever made it may not have come to this yet.
    if (this.#durable) await syncDirectory(path.dirname(shard));
  }
}

function keyOf(form: RegExp, shard: string, name: string): ResultKey | undefined {
  const key = form.exec(name)?.[1];
  return key?.startsWith(path.basename(shard)) ? key : undefined;
}

/** Makes a directory unless it is there. @throws what the file system throws, also for a link to a directory. */
export function makeDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: DIRECTORY_MODE });
  } catch (error) {
    if (!isCode(error, 'EEXIST') || !fs.lstatSync(directory).isDirectory()) throw error;
  }
}

/** Makes the name of a new directory durable, and those of the new ones above it, up to the one that was there. */
function syncAbove(directory: string, top: string): void {
  let above = directory;
  do {
    above = path.dirname(above);
    syncDirectoryNow(above);
  } while (above.length > top.length);
}
