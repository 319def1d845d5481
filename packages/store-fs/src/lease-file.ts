import {
  close,
  createFile,
  isCode,
  lstat,
  openFile,
  readAt,
  setTimesOfFile,
  unlink,
  writeAll,
} from './file-access.js';

/** Shortest and longest time that a lease lasts without being renewed, in milliseconds. */
export const SHORTEST_TTL_MS = 1_000;
export const LONGEST_TTL_MS = 3_600_000;

/** Most bytes of the file of a lease. */
const FILE_BYTES = 4096;
/** Longest name of a holder that is kept, in UTF-16 units. */
const HOLDER_LENGTH = 200;

/** What the file of a lease holds, as JSON. */
export interface LeaseTerms {
  /** For people. */
  readonly holder: string;
  readonly ttlMs: number;
  /** Tells it from every other lease, also from one that got the same number later. */
  readonly id: string;
}

/** The file of a lease as it was found. */
export interface LeaseFile extends LeaseTerms {
  /** When it was made or renewed, in milliseconds since 1970. */
  readonly renewedAt: number;
}

/** One that is still being written, or that a crash or somebody else left: it may be a lease, but not for long. */
const UNREADABLE: LeaseTerms = { holder: '', ttlMs: SHORTEST_TTL_MS, id: '' };

/**
 * Makes the file of a lease, which counts from `now`.
 * @throws what the file system throws: `EEXIST` when there is one, `ENOENT` when there is no directory for it.
 */
export async function makeLeaseFile(path: string, terms: LeaseTerms, now: number): Promise<void> {
  const file = await createFile(path);
  try {
    const json = JSON.stringify({ ...terms, holder: terms.holder.slice(0, HOLDER_LENGTH) });
    await writeAll(file, [Buffer.from(json)]);
    await setTimesOfFile(file, now / 1000, now / 1000);
  } catch (error) {
    await Promise.allSettled([unlink(path)]);
    throw error;
  } finally {
    await close(file);
  }
}

/** The file of a lease; `undefined` when there is none. @throws what the file system throws. */
export async function readLeaseFile(path: string): Promise<LeaseFile | undefined> {
  try {
    const stat = await lstat(path);
    const terms = stat.isFile() ? await readTerms(path) : UNREADABLE;
    return { ...terms, renewedAt: stat.mtimeMs };
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function readTerms(path: string): Promise<LeaseTerms> {
  const file = await openFile(path);
  try {
    const bytes = Buffer.alloc(FILE_BYTES);
    return decodeTerms(bytes.toString('utf8', 0, await readAt(file, bytes, 0)));
  } finally {
    await close(file);
  }
}

function decodeTerms(json: string): LeaseTerms {
  let terms: unknown;
  try {
    terms = JSON.parse(json);
  } catch {
    // As far as it was written.
    return UNREADABLE;
  }
  const { holder, ttlMs, id } = (terms ?? {}) as Readonly<Partial<LeaseTerms>>;
  const isWhole = typeof holder === 'string' && typeof id === 'string' && isTtl(ttlMs);
  return isWhole ? { holder, ttlMs, id } : UNREADABLE;
}

/** Whether something is a time that a lease can last. */
export function isTtl(ttlMs: unknown): ttlMs is number {
  return typeof ttlMs === 'number' && ttlMs >= SHORTEST_TTL_MS && ttlMs <= LONGEST_TTL_MS;
}
