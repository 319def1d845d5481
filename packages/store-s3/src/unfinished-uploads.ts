import {
  AbortMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandOutput,
  ListPartsCommand,
  type ListPartsCommandOutput,
} from '@aws-sdk/client-s3';
import type { ObjectStoreParts } from './object-store.js';
import { nameOf, statusOf, storeError } from './s3-error.js';
import { answerTimeOf } from './server-time.js';

/** An upload in parts that was neither completed nor given up. */
export interface UnfinishedUpload {
  /** Of the object that it is to become, without the prefix. */
  readonly name: string;
  readonly id: string;
  /** How long ago it was begun, by the clock of the server, in milliseconds; NaN when that does not say. */
  readonly ageMs: number;
}

/** How old the last part of an upload is, and what all of them take. */
export interface UploadedParts {
  /** As {@link UnfinishedUpload.ageMs}; of an upload without parts, `Infinity`. */
  readonly lastAgeMs: number;
  readonly byteLength: number;
}

/** The uploads in parts that are under way in a bucket, or were when their writer died. */
export class UnfinishedUploads {
  readonly #parts: ObjectStoreParts;

  constructor(parts: ObjectStoreParts) {
    this.#parts = parts;
  }

  /** Those of objects whose names begin so. A server that can't list them has none here. */
  async *list(begin: string, doing: string): AsyncGenerator<UnfinishedUpload> {
    const { client, bucket, prefix } = this.#parts;
    let page: ListMultipartUploadsCommandOutput | undefined;
    do {
      const command: ListMultipartUploadsCommand = new ListMultipartUploadsCommand({
        Bucket: bucket,
        Prefix: `${prefix}${begin}`,
        KeyMarker: page?.NextKeyMarker,
        UploadIdMarker: page?.NextUploadIdMarker,
      });
      const answeredAt = answerTimeOf(command);
      try {
        page = await client.send(command);
      } catch (error) {
        if (statusOf(error) === 501) return;
        throw this.#failed(begin, doing, 's3:ListBucketMultipartUploads on the bucket', error);
      }
      for (const { Key = '', UploadId: id = '', Initiated } of page.Uploads ?? []) {
        const ageMs = answeredAt() - (Initiated?.getTime() ?? Number.NaN);
        yield { name: Key.slice(prefix.length), id, ageMs };
      }
    } while (page.IsTruncated === true);
  }

  /** @returns `undefined` when the upload was completed or given up since. */
  async partsOf({ name, id }: UnfinishedUpload, doing: string): Promise<UploadedParts | undefined> {
    let lastAgeMs = Infinity;
    let byteLength = 0;
    let page: ListPartsCommandOutput | undefined;
    do {
      const named = { ...this.#named(name), UploadId: id };
      const command: ListPartsCommand = new ListPartsCommand({
        ...named,
        PartNumberMarker: page?.NextPartNumberMarker,
      });
      const answeredAt = answerTimeOf(command);
      try {
        page = await this.#parts.client.send(command);
      } catch (error) {
        if (isGone(error)) return undefined;
        throw this.#failed(name, doing, 's3:ListMultipartUploadParts', error);
      }
      for (const { Size = 0, LastModified } of page.Parts ?? []) {
        lastAgeMs = Math.min(lastAgeMs, answeredAt() - (LastModified?.getTime() ?? Number.NaN));
        byteLength += Size;
      }
    } while (page.IsTruncated === true);
    return { lastAgeMs, byteLength };
  }

  /** Gives it up. @returns `false` when it was completed or given up since. */
  async abort({ name, id }: UnfinishedUpload, doing: string): Promise<boolean> {
    try {
      await this.#parts.client.send(new AbortMultipartUploadCommand({ ...this.#named(name), UploadId: id }));
      return true;
    } catch (error) {
      if (isGone(error)) return false;
      throw this.#failed(name, doing, 's3:AbortMultipartUpload', error);
    }
  }

  #named(name: string): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#parts.bucket, Key: `${this.#parts.prefix}${name}` };
  }

  #failed(name: string, doing: string, permission: string, error: unknown): Error {
    const { bucket, prefix } = this.#parts;
    return storeError({ doing, where: `${bucket}/${prefix}${name}`, permission }, error);
  }
}

function isGone(error: unknown): boolean {
  return statusOf(error) === 404 && nameOf(error) !== 'NoSuchBucket';
}
