import { finished, type Readable } from 'node:stream';
import { backOff } from './abort.js';
import type { FoundObject, ObjectStore, Wanted } from './object-store.js';
import { Damage } from './damage.js';
import { storeError } from './s3-error.js';

/** How much is gathered in memory before it is given on: each piece given costs several promises. */
const PIECE_BYTES = 1024 * 1024;

/** Says that an object is not there. Never leaves this package. */
export class Gone extends Damage {
  /** How many of its bytes had been read. */
  readonly at: number;

  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

/** What is read, and for whom. */
export interface Reading {
  readonly bucket: ObjectStore;
  readonly name: string;
  /** For errors. */
  readonly doing: string;
  /** How many bytes the object must have. */
  readonly byteLength: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * The bytes of an object. A body that breaks off in the middle is asked for again from there.
 * @param target - memory for all of them: then chunks are views of it, and nothing waits for who reads them.
 * @throws {@link Gone} when there is no such object; {@link Damage} when it has another number of bytes;
 *   `STORE_UNREACHABLE`; the signal's reason.
 */
export async function* chunksOf(reading: Reading, target?: Uint8Array): AsyncGenerator<Uint8Array> {
  const { byteLength, bucket, signal } = reading;
  let at = 0;
  let etag: string | undefined;
  let failures = 0;
  while (at < byteLength) {
    const found = await open(reading, { range: [at], etag, signal }, at);
    ({ etag } = found);
    const body = target ? new GatheredBody(found.body, target.subarray(at)) : new CuttableBody(found.body);
    try {
      for (let chunk = await body.next(); chunk; chunk = await body.next()) {
        at += chunk.byteLength;
        failures = 0;
        yield chunk;
      }
    } finally {
      found.body.destroy();
    }
    if (at === byteLength) return;
    signal?.throwIfAborted();
    failures += 1;
    if (failures >= bucket.attempts) throw brokenOff(reading, at, body.failure);
    await backOff(failures, signal);
  }
}

/**
 * The whole object, or the range of it, in memory.
 * @returns `undefined` when there is no such object.
 * @throws as {@link chunksOf}; {@link Damage} when it has more than `most` bytes.
 */
export async function readWhole(
  reading: Omit<Reading, 'byteLength'> & Wanted & { readonly most: number },
): Promise<{ readonly bytes: Buffer; readonly found: FoundObject } | undefined> {
  const { bucket, name, doing, signal, most } = reading;
  for (let failures = 1; ; failures += 1) {
    const found = await bucket.get(name, doing, reading);
    if (!found) return undefined;
    const body = new CuttableBody(found.body);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const [from = 0, to = found.byteLength - 1] = reading.range ?? [];
    const wanted = Math.min(to + 1, found.byteLength) - from;
    try {
      if (wanted > most) throw new Damage(`has ${found.byteLength} bytes`);
      for (let chunk = await body.next(); chunk && bytes <= wanted; chunk = await body.next()) {
        chunks.push(chunk);
        bytes += chunk.byteLength;
      }
    } finally {
      found.body.destroy();
    }
    if (bytes === wanted) return { bytes: Buffer.concat(chunks), found };
    signal?.throwIfAborted();
    if (failures >= bucket.attempts) throw brokenOff(reading, bytes, body.failure);
    await backOff(failures, signal);
  }
}

async function open(
  { bucket, name, doing, byteLength }: Reading,
  wanted: Wanted,
  at: number,
): Promise<FoundObject> {
  const found = await bucket.get(name, doing, at > 0 ? wanted : { signal: wanted.signal });
  if (!found) throw new Gone(`names ${name}, which is gone`, at);
  if (found.byteLength === byteLength && found.from === at) return found;
  found.body.destroy();
  throw new Damage(
    `names ${name}, which has ${found.byteLength} bytes from ${found.from} on, not ${byteLength} from ${at} on`,
  );
}

/** A body that may break off: then it ends, and knows why. */
class CuttableBody {
  failure: unknown;
  readonly #chunks: AsyncIterator<Uint8Array>;

  constructor(body: Readable) {
    this.#chunks = body[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async next(): Promise<Uint8Array | undefined> {
    try {
      const next = await this.#chunks.next();
      return next.done === true ? undefined : next.value;
    } catch (error) {
      this.failure = error;
      return undefined;
    }
  }
}

/** One that is read into memory as fast as it comes. It may break off as well. */
class GatheredBody {
  failure: unknown;
  readonly #target: Uint8Array;
  #filled = 0;
  #given = 0;
  #isOver = false;
  #wake: () => void = () => undefined;

  constructor(body: Readable, target: Uint8Array) {
    this.#target = target;
    body.on('data', (chunk: Uint8Array) => {
      if (chunk.byteLength > target.byteLength - this.#filled) {
        body.destroy(new Error(`more than the ${target.byteLength} bytes that were asked for came`));
        return;
      }
      target.set(chunk, this.#filled);
      this.#filled += chunk.byteLength;
      if (this.#filled - this.#given >= PIECE_BYTES) this.#wake();
    });
    finished(body, (error) => {
      this.failure = error ?? undefined;
      this.#isOver = true;
      this.#wake();
    });
  }

  async next(): Promise<Uint8Array | undefined> {
    while (!this.#isOver && this.#filled - this.#given < PIECE_BYTES)
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    const piece = this.#target.subarray(this.#given, this.#filled);
    this.#given = this.#filled;
    return piece.byteLength > 0 ? piece : undefined;
  }
}

function brokenOff({ doing, name }: Pick<Reading, 'doing' | 'name'>, bytes: number, failure: unknown): Error {
  const cause = failure ?? new Error(`the body ended after ${bytes} bytes`);
  return storeError({ doing, where: name, permission: 's3:GetObject' }, cause);
}
