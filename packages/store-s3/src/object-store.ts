import type { Readable } from 'node:stream';
import {
  type _Object,
  DeleteObjectCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { RoutineEngineError } from '@routine-engine/core/adapter';
import { backOff } from './abort.js';
import { Damage } from './damage.js';
import { type Attempt, nameOf, statusOf, storeError, wasRepeated } from './s3-error.js';
import { answerTimeOf } from './server-time.js';
import { uploadPieces } from './upload.js';

/** What a {@link ObjectStore} is made of. */
export interface ObjectStoreParts {
  readonly client: S3Client;
  readonly bucket: string;
  /** What every name begins with: empty, or ends with a slash. */
  readonly prefix: string;
  /** How often a request that may succeed later is made, and a broken body is asked for again without getting on. */
  readonly attempts: number;
  /** Bytes of one part of a large upload. */
  readonly partBytes: number;
}

/** What is wanted of an object. */
export interface Wanted {
  /** First and last byte; without the last, everything from the first. */
  readonly range?: readonly [from: number, to?: number];
  /** Only the object of that ETag. */
  readonly etag?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** An object whose bytes begin to come. Whoever gets it reads the body to its end or destroys it. */
export interface FoundObject {
  readonly body: Readable;
  readonly etag: string;
  /** Bytes of the whole object, of which the body may be a range. */
  readonly byteLength: number;
  /** Where in the object the body begins. */
  readonly from: number;
  /** Both by the clock of the server, in milliseconds since 1970; whole seconds. */
  readonly modifiedAt: number;
  readonly answeredAt: number;
}

/** An object as it is listed. */
export interface ListedObject {
  /** Without the prefix. */
  readonly name: string;
  readonly byteLength: number;
  readonly etag: string;
  /** Both by the clock of the server, in milliseconds since 1970. `answeredAt` is NaN when the server does not say. */
  readonly modifiedAt: number;
  readonly answeredAt: number;
}

const RANGE = /^bytes (\d+)-\d+\/(\d+)$/;

/**
 * The requests that the store makes. Names are without the prefix. `doing` is such as `keep the result ab…`, for errors.
 * Every method rejects with `STORE_UNREACHABLE` or `STORE_FULL`, and with the signal's reason at once when it aborts.
 */
export class ObjectStore {
  readonly attempts: number;
  readonly #parts: ObjectStoreParts;

  constructor(parts: ObjectStoreParts) {
    this.#parts = parts;
    this.attempts = parts.attempts;
  }

  /**
   * @returns `undefined` when there is no such object.
   * @throws {@link Damage} when it is another one than that of the ETag, or has no bytes in the range.
   */
  async get(name: string, doing: string, wanted: Wanted = {}): Promise<FoundObject | undefined> {
    const { range, etag, signal } = wanted;
    const Range = range && `bytes=${range[0]}-${range[1] ?? ''}`;
    const command = new GetObjectCommand({ ...this.#named(name), Range, IfMatch: etag });
    const answeredAt = answerTimeOf(command);
    try {
      const found = await this.#parts.client.send(command, signal && { abortSignal: signal });
      const [, from = 0, all = found.ContentLength] = RANGE.exec(found.ContentRange ?? '') ?? [];
      return {
        body: found.Body as Readable,
        etag: found.ETag ?? '',
        byteLength: Number(all),
        from: Number(from),
        modifiedAt: found.LastModified?.getTime() ?? 0,
        answeredAt: answeredAt(),
      };
    } catch (error) {
      signal?.throwIfAborted();
      const status = statusOf(error);
      if (status === 404 && nameOf(error) !== 'NoSuchBucket') return undefined;
      if (status === 412) throw new Damage('became another object while it was read', { cause: error });
      if (status === 416) throw new Damage('has fewer bytes than it should have', { cause: error });
      // Without the right to list, S3 answers 403 for what is not there.
      throw this.#failed(name, doing, 's3:GetObject, and s3:ListBucket on the bucket,', error);
    }
  }

  /**
   * Makes an object, unless there is one of that name.
   * @returns `present` also when an earlier, repeated request of this very call made it: whoever must know looks.
   */
  async putIfAbsent(
    name: string,
    doing: string,
    bytes: Uint8Array,
    signal?: AbortSignal,
  ): Promise<'stored' | 'present'> {
    for (let failures = 1; ; failures += 1) {
      const command = new PutObjectCommand({ ...this.#named(name), Body: bytes, IfNoneMatch: '*' });
      try {
        await this.#parts.client.send(command, signal && { abortSignal: signal });
        return 'stored';
      } catch (error) {
        signal?.throwIfAborted();
        if (statusOf(error) === 412) return 'present';
        // Another write of the same name was just under way; it may come to nothing.
        const again = statusOf(error) === 409 && failures < this.attempts;
        if (!again) throw this.#failed(name, doing, 's3:PutObject', error);
      }
      await backOff(failures, signal);
    }
  }

  /**
   * Puts an object, in place of any other.
   * @param etag - only in place of the object of that ETag.
   * @returns its ETag; `undefined` when there was another one than that of `etag`, or none.
   */
  async put(name: string, doing: string, bytes: Uint8Array, etag?: string): Promise<string | undefined> {
    const command = new PutObjectCommand({ ...this.#named(name), Body: bytes, IfMatch: etag });
    try {
      return (await this.#parts.client.send(command)).ETag ?? '';
    } catch (error) {
      const isOther = etag !== undefined && [404, 409, 412].includes(statusOf(error) ?? 0);
      if (!isOther || nameOf(error) === 'NoSuchBucket')
        throw this.#failed(name, doing, 's3:PutObject', error);
      // Some versions of Ceph compare with what stands between the quotes.
      const bare = etag.replaceAll('"', '');
      return bare === etag || statusOf(error) !== 412 ? undefined : this.put(name, doing, bytes, bare);
    }
  }

  /**
   * Makes an object of pieces that come one after the other, in parts when they are many. They stay as they are until then.
   * @throws what the pieces throw. Nothing is left of it then.
   */
  async upload(
    name: string,
    doing: string,
    pieces: AsyncIterable<Uint8Array>,
    options: { readonly byteLength?: number | undefined; readonly signal: AbortSignal },
  ): Promise<void> {
    const { client, partBytes } = this.#parts;
    const { Bucket: bucket, Key: key } = this.#named(name);
    const failed = (error: unknown): Error => this.#failed(name, doing, 's3:PutObject', error);
    try {
      await uploadPieces(pieces, { client, bucket, key, partBytes, failed, ...options });
    } catch (error) {
      const cause = error instanceof RoutineEngineError ? error.cause : undefined;
      if (nameOf(cause) !== 'NoSuchUpload' || !wasRepeated(cause)) throw error;
      // The answer to a request that completed it was lost, and the repeated one found nothing left to complete.
      const made = await this.get(name, doing, { range: [0, 0], signal: options.signal });
      if (!made) throw error;
      made.body.destroy();
    }
  }

  /**
   * Removes an object.
   * @param etag - only the object of that ETag, where the server can tell.
   * @returns `false` when it was found to be gone, or another one.
   */
  async remove(name: string, doing: string, etag?: string): Promise<boolean> {
    try {
      await this.#parts.client.send(new DeleteObjectCommand({ ...this.#named(name), IfMatch: etag }));
      return true;
    } catch (error) {
      if (etag !== undefined && statusOf(error) === 501) return this.remove(name, doing);
      const isGone = [404, 409, 412].includes(statusOf(error) ?? 0) && nameOf(error) !== 'NoSuchBucket';
      if (isGone) return wasRepeated(error);
      throw this.#failed(name, doing, 's3:DeleteObject', error);
    }
  }

  /** The objects whose names begin so; by name, ascending. */
  async *list(begin: string, doing: string): AsyncGenerator<ListedObject> {
    const { client, bucket, prefix } = this.#parts;
    let token: string | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: bucket,
        Prefix: `${prefix}${begin}`,
        ContinuationToken: token,
      });
      const answeredAt = answerTimeOf(command);
      let page: { Contents?: _Object[] | undefined; NextContinuationToken?: string | undefined };
      try {
        page = await client.send(command);
      } catch (error) {
        throw this.#failed(begin, doing, 's3:ListBucket', error);
      }
      for (const { Key = '', Size = 0, ETag = '', LastModified } of page.Contents ?? []) {
        yield {
          name: Key.slice(prefix.length),
          byteLength: Size,
          etag: ETag,
          modifiedAt: LastModified?.getTime() ?? Number.NaN,
          answeredAt: answeredAt(),
        };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
  }

  #named(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#parts.bucket, Key: `${this.#parts.prefix}${name}` };
  }

  #failed(name: string, doing: string, permission: string, error: unknown): RoutineEngineError {
    const { bucket, prefix } = this.#parts;
    const attempt: Attempt = { doing, where: `${bucket}/${prefix}${name}`, permission };
    return error instanceof RoutineEngineError ? error : storeError(attempt, error);
  }
}
