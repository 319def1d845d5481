import fs from 'node:fs';
import type { Body, ResultKey, StoredResult } from '@routine-engine/core/adapter';
import { RoutineEngineError, untilAborted } from '@routine-engine/core/adapter';
import { close, isCode, link, lstat, storeError, sync, writeAll } from './file-access.js';
import { encodeHeader, paddingOf, startDigest } from './file-format.js';

/** Bytes gathered for one call to the system; also how much is digested at a time. */
const GATHER_BYTES = 256 * 1024;
/** Pieces gathered for one call: the system takes 1024. */
const GATHER_PIECES = 1024;
const ZEROS = new Uint8Array(8);

/** How {@link writeResult} is to be done. */
export interface WriteOptions {
  /** Whether the bytes are to be on the disk, not only with the system, before the file counts as written. */
  readonly durable: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Writes a whole result into a new file that nobody looks for yet, and closes it. When this rejects, what is in the
 * file is of no use. A body that comes in chunks is asked for the next one when the last was written, and is never in
 * memory whole.
 * @throws {@link RoutineEngineError} `STORE_FULL`, `STORE_UNREACHABLE`, or `BYTES_MALFORMED` when the body is not what it
 *   says; the signal's reason; whatever the body throws.
 */
export async function writeResult(
  { file, path }: { readonly file: number; readonly path: string },
  key: ResultKey,
  { metadata, body }: StoredResult,
  { durable, signal }: WriteOptions,
): Promise<void> {
  const writer = new DigestedFile(file, (error) => storeError(`keep the result ${key}`, path, error));
  try {
    await writer.add(encodeHeader(key, metadata, body));
    await writeBody(writer, key, body, signal);
    await writer.end(durable);
  } finally {
    await close(file);
  }
}

/**
 * Gives a written file its name, unless there is one of that name: the first of several writers wins, in whatever
 * process. @throws what the file system throws.
 */
export async function publish(
  temporary: string,
  path: string,
  makeLink = link,
): Promise<'stored' | 'present'> {
  try {
    await makeLink(temporary, path);
    return 'stored';
  } catch (error) {
    if (isCode(error, 'EEXIST')) {
      // Over a network the answer to a link that was made can be lost, and then the repeated request finds its own link.
      return (await lstat(temporary)).nlink > 1 ? 'stored' : 'present';
    }
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK')) throw error;
  }
  // No links on this file system. Both calls at once, so that no other put of this thread comes between them.
  if (fs.lstatSync(path, { throwIfNoEntry: false })) return 'present';
  fs.renameSync(temporary, path);
  return 'stored';
}

/** Gathers pieces, writes them, and ends with the digest over all of them. */
class DigestedFile {
  readonly #file: number;
  readonly #failed: (error: unknown) => RoutineEngineError;
  readonly #digest = startDigest();
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  constructor(file: number, failed: (error: unknown) => RoutineEngineError) {
    this.#file = file;
    this.#failed = failed;
  }

  /** The piece has to stay as it is until it was flushed. */
  async add(piece: Uint8Array): Promise<void> {
    this.#digest.update(piece);
    this.#pieces.push(piece);
    this.#bytes += piece.byteLength;
    if (this.#bytes >= GATHER_BYTES || this.#pieces.length >= GATHER_PIECES) await this.flush();
  }

  async flush(): Promise<void> {
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#bytes = 0;
    await writeAll(this.#file, pieces).catch(this.#rethrow);
  }

  async end(durable: boolean): Promise<void> {
    this.#pieces.push(this.#digest.digest());
    await this.flush();
    if (durable) await sync(this.#file).catch(this.#rethrow);
  }

  readonly #rethrow = (error: unknown): never => {
    throw this.#failed(error);
  };
}

async function writeBody(
  writer: DigestedFile,
  key: ResultKey,
  body: Body,
  signal: AbortSignal | undefined,
): Promise<void> {
  const cutter = new PartCutter(key, body);
  if (body.parts) {
    for (const piece of piecesOf(body.parts)) {
      signal?.throwIfAborted();
      for (const cut of cutter.cut(piece)) await writer.add(cut);
    }
  } else {
    for await (const chunk of untilAborted(body.chunks(), signal)) {
      // A chunk is only lent until the next one is asked for: a small one is copied, a larger one written at once.
      const small = chunk.byteLength < GATHER_BYTES;
      for (const cut of cutter.cut(small ? new Uint8Array(chunk) : chunk)) await writer.add(cut);
      if (!small) await writer.flush();
    }
  }
  cutter.end();
}

function* piecesOf(parts: readonly Uint8Array[]): Generator<Uint8Array> {
  for (const part of parts) {
    for (let at = 0; at < part.byteLength; at += GATHER_BYTES) yield part.subarray(at, at + GATHER_BYTES);
  }
}

/** Cuts the bytes of a body where its parts end, and puts the zeros there that the file has. */
class PartCutter {
  readonly #key: ResultKey;
  readonly #body: Body;
  #part = 0;
  #filled = 0;

  constructor(key: ResultKey, body: Body) {
    this.#key = key;
    this.#body = body;
  }

  *cut(bytes: Uint8Array): Generator<Uint8Array> {
    let rest = bytes;
    while (rest.byteLength > 0) {
      const size = this.#body.sizes[this.#part];
      if (size === undefined) throw this.#disagreement('more');
      const taken = rest.subarray(0, size - this.#filled);
      rest = rest.subarray(taken.byteLength);
      yield taken;
      this.#filled += taken.byteLength;
      if (this.#filled < size) continue;
      yield ZEROS.subarray(0, paddingOf(size));
      this.#part += 1;
      this.#filled = 0;
    }
  }

  /** No more bytes come. @throws `BYTES_MALFORMED` when some are missing. */
  end(): void {
    while (this.#filled === 0 && this.#body.sizes[this.#part] === 0) this.#part += 1;
    if (this.#part < this.#body.sizes.length) throw this.#disagreement('fewer');
  }

  #disagreement(got: string): RoutineEngineError {
    const said = `its ${this.#body.byteLength} bytes`;
    return new RoutineEngineError(
      'BYTES_MALFORMED',
      `The body of result ${this.#key} gave ${got} than ${said}`,
    );
  }
}
