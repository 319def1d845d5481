import fs from 'node:fs';
import { setImmediate } from 'node:timers';
import { promisify } from 'node:util';
import { RoutineEngineError } from '@routine-engine/core/adapter';

// The callback API made into promises: fs/promises costs three times as much a call, and a hit is three calls.
const open = promisify(fs.open);
export const close = promisify(fs.close);
export const link = promisify(fs.link);
export const lstat = promisify(fs.lstat);
export const readdir = promisify(fs.readdir);
export const rename = promisify(fs.rename);
export const rmdir = promisify(fs.rmdir);
export const setTimes = promisify(fs.lutimes);
export const setTimesOfFile = promisify(fs.futimes);
export const sync = promisify(fs.fsync);
export const unlink = promisify(fs.unlink);

// Windows has neither O_NOFOLLOW nor O_NONBLOCK: undefined adds nothing to flags.
const { O_RDONLY, O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = fs.constants;
/** Never through a symbolic link; and at once, also when somebody put a pipe there. */
const TO_READ = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
/** A file that did not exist. */
const TO_CREATE = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW;
const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** What one call may be asked for: more than 2 GiB is refused. */
const READ_BYTES = 1024 * 1024 * 1024;

let gathered: (() => void)[] = [];

/**
 * Hands what is asked for within one turn of the loop to the thread pool in one go. Each hand-over of its own wakes a
 * thread that has just gone to sleep, which takes longer than the reading: 64 lookups at once took 28 us each, not 16.
 */
function handOver(request: () => void): void {
  gathered.push(request);
  if (gathered.length > 1) return;
  setImmediate(() => {
    const requests = gathered;
    gathered = [];
    for (const ask of requests) ask();
  });
}

/** Opens a file to read. */
export function openFile(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    handOver(() => fs.open(path, TO_READ, (error, file) => (error ? reject(error) : resolve(file))));
  });
}

/** A file that was opened, and how much of its beginning was read. */
export interface OpenedFile {
  readonly file: number;
  readonly bytes: number;
}

/**
 * Opens a file and fills `into` with its beginning, with one promise for both and for what is made of it, since this is most
 * of a lookup. The system may give fewer bytes than there are; none also when the file is open but can't be read: who reads
 * on is told why.
 * @param use - gets the file. @param fail - gets why it can't be opened. The promise is settled by what they return or throw.
 */
export function openAndRead<T>(
  path: string,
  into: Uint8Array,
  use: (opened: OpenedFile) => T | PromiseLike<T>,
  fail: (error: unknown) => T | PromiseLike<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // All that were read meanwhile one after the other too: work of one kind at a time is done faster.
    const settle = (end: () => T | PromiseLike<T>): void =>
      handOver(() => {
        try {
          resolve(end());
        } catch (error) {
          reject(error);
        }
      });
    const read = (file: number): void =>
      fs.read(file, into, 0, into.byteLength, 0, (error, bytes) =>
        settle(() => use({ file, bytes: error ? 0 : bytes })),
      );
    handOver(() =>
      fs.open(path, TO_READ, (error, file) =>
        error ? settle(() => fail(error)) : handOver(() => read(file)),
      ),
    );
  });
}

/** Opens a new file to write, which only this user may read. */
export function createFile(path: string): Promise<number> {
  return open(path, TO_CREATE, FILE_MODE);
}

/** Fills `into` from that place in the file. @returns how many bytes there were: fewer only at the end of the file. */
export async function readAt(file: number, into: Uint8Array, position: number): Promise<number> {
  let filled = 0;
  while (filled < into.byteLength) {
    const bytes = await readSome(file, into, filled, position + filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return filled;
}

function readSome(file: number, into: Uint8Array, offset: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const length = Math.min(into.byteLength - offset, READ_BYTES);
    handOver(() => {
      fs.read(file, into, offset, length, position, (error, bytes) =>
        error ? reject(error) : resolve(bytes),
      );
    });
  });
}

/** Writes all the pieces at the end of what was written. */
export async function writeAll(file: number, pieces: readonly Uint8Array[]): Promise<void> {
  let rest = [...pieces];
  while (rest.length > 0) {
    let bytes = await writeSome(file, rest);
    rest = rest.flatMap((piece) => {
      const done = Math.min(bytes, piece.byteLength);
      bytes -= done;
      return done < piece.byteLength ? [piece.subarray(done)] : [];
    });
  }
}

function writeSome(file: number, pieces: readonly Uint8Array[]): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(file, pieces, (error, bytes) => (error ? reject(error) : resolve(bytes)));
  });
}

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, O_RDONLY);
  try {
    await sync(directory);
  } catch (error) {
    refuseUnlessNeverSynced(error);
  } finally {
    await close(directory);
  }
}

/** The same at once, for where nothing else goes on yet. */
export function syncDirectoryNow(path: string): void {
  const directory = fs.openSync(path, O_RDONLY);
  try {
    fs.fsyncSync(directory);
  } catch (error) {
    refuseUnlessNeverSynced(error);
  } finally {
    fs.closeSync(directory);
  }
}

function refuseUnlessNeverSynced(error: unknown): void {
  // Some systems cannot sync a directory at all; then there is nothing more that could be done.
  if (!isCode(error, 'EINVAL', 'ENOTSUP', 'EPERM')) throw error;
}

/** Whether it is an error of the system with one of these codes. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code));
}

const ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'give this process the right to read and write there',
  EPERM: 'give this process the right to read and write there',
  EROFS: 'mount the file system so that it can be written',
  ENOTDIR: 'move away what stands there in place of a directory',
  EEXIST: 'move away what stands there in place of a directory',
  ELOOP: 'replace the symbolic link by what it points to',
  ENOENT: 'something removed it while the store was using it; leave the directory to the store',
  EMFILE: 'raise the limit of open files (ulimit -n)',
  ENFILE: 'raise the limit of open files of the system',
  EIO: 'look after the disk',
};

/** A failed file operation as the error that the port prescribes; `doing` is such as `read the result ab…`. */
export function storeError(doing: string, path: string, cause: unknown): RoutineEngineError {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause);
  if (isCode(cause, 'ENOSPC', 'EDQUOT')) {
    const advice = 'make room on its file system or raise the quota';
    return new RoutineEngineError('STORE_FULL', `Cannot ${doing}: no room for ${path} (${code}); ${advice}`, {
      cause,
    });
  }
  const other =
    cause instanceof RangeError
      ? 'it is larger than the memory of this process'
      : 'look at the disk and how it is mounted';
  const advice = ADVICE[code] ?? other;
  return new RoutineEngineError('STORE_UNREACHABLE', `Cannot ${doing} at ${path} (${code}); ${advice}`, {
    cause,
  });
}
