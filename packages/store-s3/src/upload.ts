import { setMaxListeners } from 'node:events';
import { Readable } from 'node:stream';
import { AbortMultipartUploadCommand, CreateMultipartUploadCommand, type S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { untilAborted } from '@routine-engine/core/adapter';

/** Parts of one upload that are sent at once. */
const PARTS_AT_ONCE = 4;
/** Most parts of one object; S3 takes no more. */
const MOST_PARTS = 10_000;

/** Where {@link uploadPieces} puts them, and how. */
export interface UploadTarget {
  readonly client: S3Client;
  readonly bucket: string;
  readonly key: string;
  readonly partBytes: number;
  /** How many bytes come, when that is known: then the parts become large enough. */
  readonly byteLength?: number | undefined;
  readonly signal: AbortSignal;
  /** The port's error for what the SDK throws. */
  readonly failed: (error: unknown) => Error;
}

/**
 * Makes one object of pieces. Asks for the next piece when there is room: at most about
 * `(PARTS_AT_ONCE + 2) * partBytes` are in memory.
 * @throws `failed(…)`; the signal's reason; what the pieces throw, as it is.
 */
export async function uploadPieces(pieces: AsyncIterable<Uint8Array>, target: UploadTarget): Promise<void> {
  const { bucket, key, byteLength = 0, signal, failed } = target;
  const failure = new AbortController();
  const ending = AbortSignal.any([signal, failure.signal]);
  // One request for each part listens, and the source.
  setMaxListeners(0, ending);
  const body = Readable.from(stoppable(pieces, ending, failure), { highWaterMark: 1 });
  // Also when nobody reads it any more.
  body.once('error', (error) => failure.abort(error));
  const upload = new Upload({
    client: endingClient(target.client, ending, failure, failed),
    partSize: Math.max(target.partBytes, Math.ceil(byteLength / MOST_PARTS)),
    queueSize: PARTS_AT_ONCE,
    params: { Bucket: bucket, Key: key, Body: body },
  });
  try {
    await upload.done();
  } catch (error) {
    signal.throwIfAborted();
    // What failed first: later failures follow from it, also those of cleaning up.
    throw failure.signal.aborted ? failure.signal.reason : failed(error);
  } finally {
    // So that the pieces are told when they are no longer wanted.
    body.destroy();
  }
}

async function* stoppable(
  pieces: AsyncIterable<Uint8Array>,
  ending: AbortSignal,
  failure: AbortController,
): AsyncGenerator<Uint8Array> {
  try {
    yield* untilAborted(pieces, ending);
  } catch (error) {
    failure.abort(error);
    throw error;
  }
}

/**
 * The client, for one upload that ends at once: by itself it would send everything that still comes after a part failed,
 * and every part that is on its way after an abort. What makes or gives up an upload is never cut short, so that no part of
 * it stays.
 */
function endingClient(
  client: S3Client,
  ending: AbortSignal,
  failure: AbortController,
  failed: (error: unknown) => Error,
): S3Client {
  const send = async (command: Parameters<S3Client['send']>[0]): Promise<unknown> => {
    if (command instanceof AbortMultipartUploadCommand) return client.send(command);
    try {
      if (command instanceof CreateMultipartUploadCommand) return await client.send(command);
      return await client.send(command, { abortSignal: ending });
    } catch (error) {
      if (!ending.aborted) failure.abort(failed(error));
      throw error;
    }
  };
  return Object.create(client, { send: { value: send } }) as S3Client;
}
