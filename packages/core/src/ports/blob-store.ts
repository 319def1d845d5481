import type { StoredBlob } from '../model/stored-blob.js';
import type { StoreCallOptions } from './result-store.js';

/** What came of keeping a blob. @public */
export interface KeptBlob {
  readonly blob: StoredBlob;
  /** `present` when the store had the same bytes already. */
  readonly outcome: 'stored' | 'present';
}

/** One line of {@link BlobStore.list}. @public */
export interface BlobEntry extends Pick<StoredBlob, 'digest' | 'byteLength'> {
  /** When it was put last, also when it was there already, in milliseconds since 1970 (UTC) by the clock of whoever lists, to the second or better. */
  readonly putAt: number;
}

/**
 * Keeps bytes under the digest of their content, so that equal content is there once, whoever put it. The large parts of
 * results and arguments, and the streams in results, are kept so.
 *
 * Every method may be called at any time and any number at once, until the store closes; then they reject with
 * `STORE_CLOSED`. A digest is 64 lower-case hex digits; another is refused with `STORE_KEY_INVALID`.
 * @public
 */
export interface BlobStore {
  /**
   * Keeps bytes, unless they are there. Atomic: nobody ever sees half of them. Resolves when they are as durable as the
   * store makes them. Bytes in memory stay unchanged until then, and are the caller's again afterwards; chunks of an
   * iterable are read one after the other and never held, so that memory does not grow with their number.
   * @param options - `digest`, when the caller knows that of these very bytes: then nothing is read when they are there.
   * @throws {@link RoutineEngineError} `STORE_FULL` or `STORE_UNREACHABLE`; the reason of `signal`, at once; and what the
   *   iterable throws. Nothing is left half-written.
   */
  put(
    source: Uint8Array | AsyncIterable<Uint8Array>,
    options?: StoreCallOptions & { readonly digest?: string },
  ): Promise<KeptBlob>;
  /**
   * Looks up a blob; its bytes are read later, from {@link StoredBlob.chunks}.
   * @returns `undefined` when there is none.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`, never reported as a missing blob.
   */
  get(digest: string, options?: StoreCallOptions): Promise<StoredBlob | undefined>;
  /** Forgets a blob, whoever may need it. @returns whether there was one. */
  delete(digest: string): Promise<boolean>;
  /** Every blob, in no particular order; what is put or deleted meanwhile may or may not be seen. What is seen to be none is put aside. */
  list(): AsyncIterable<BlobEntry>;
}

/**
 * Where streams in results wait for their reader when the store keeps no blobs. Blobs last as long as something in this
 * process holds them, at most until `close`.
 * @public
 */
export interface Spool {
  /** As {@link BlobStore.put}. */
  put(source: AsyncIterable<Uint8Array>, options?: StoreCallOptions): Promise<StoredBlob>;
  /** Releases everything; reading fails afterwards with `CONTENT_MISSING`. A second call does nothing. */
  close(): Promise<void>;
}
