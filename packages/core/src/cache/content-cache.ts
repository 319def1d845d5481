import { LRUCache } from 'lru-cache';
import { RoutineEngineError } from '../errors/routine-engine-error.js';
import type { EngineEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { LIMITS } from '../model/limits.js';
import type { StoredBlob } from '../model/stored-blob.js';
import { whenAborted } from '../model/when-aborted.js';
import type { Clock } from '../ports/clock.js';
import { readInto } from './read-chunks.js';

/** What a {@link ContentCache} is made of. */
export interface ContentCacheParts {
  /** Most bytes to keep, above zero; beyond it the least recently used go. Default `LIMITS.contentCacheBytes`. */
  readonly maxBytes?: number;
  readonly clock: Pick<Clock, 'now'>;
  readonly feed: EventFeed<EngineEvent>;
  /** Name of this node, for events. */
  readonly node: string;
}

/** A blob that is being read for everybody who needs it. */
interface Loading {
  readonly bytes: Promise<Uint8Array>;
  /** Ends the reading. */
  readonly controller: AbortController;
  callers: number;
}

/**
 * Content of blobs in the memory of this process, each once for all who need it. It lies in SharedArrayBuffers, so that
 * background threads are given it without a copy; nobody may write to it.
 */
export class ContentCache {
  readonly #parts: ContentCacheParts;
  readonly #kept: LRUCache<string, Uint8Array>;
  readonly #loading = new Map<string, Loading>();

  constructor(parts: ContentCacheParts) {
    this.#parts = parts;
    this.#kept = new LRUCache({
      maxSize: parts.maxBytes ?? LIMITS.contentCacheBytes,
      // A size of none is refused.
      sizeCalculation: ({ byteLength }) => Math.max(byteLength, 1),
    });
  }

  /**
   * The bytes of a blob, in memory that is shared with everybody else. Larger than the whole cache, they are given but
   * not kept.
   * @param signal - takes this caller out; the reading is ended when no caller is left.
   * @throws {@link RoutineEngineError} `CONTENT_CORRUPT` when the blob is longer or shorter than it says; what reading it
   *   throws; the signal's reason. A failure is not kept.
   */
  async load(blob: StoredBlob, signal?: AbortSignal): Promise<Uint8Array> {
    signal?.throwIfAborted();
    const kept = this.#kept.get(blob.digest);
    if (kept) return this.#reused(blob, kept);
    const found = this.#loading.get(blob.digest);
    const loading = found ?? this.#start(blob);
    const bytes = await this.#join(blob.digest, loading, signal);
    return found ? this.#reused(blob, bytes) : bytes;
  }

  #start(blob: StoredBlob): Loading {
    const controller = new AbortController();
    const bytes = this.#read(blob, controller.signal);
    const loading: Loading = { bytes, controller, callers: 0 };
    this.#loading.set(blob.digest, loading);
    void Promise.allSettled([bytes]).then(() => this.#forget(blob.digest, loading));
    return loading;
  }

  async #read(blob: StoredBlob, signal: AbortSignal): Promise<Uint8Array> {
    const bytes = await readShared(blob, signal);
    this.#kept.set(blob.digest, bytes);
    this.#tell('content.fetched', blob);
    return bytes;
  }

  #join(digest: string, loading: Loading, signal: AbortSignal | undefined): Promise<Uint8Array> {
    loading.callers += 1;
    if (!signal) return loading.bytes;
    return new Promise((resolve, reject) => {
      const leave = (): void => {
        reject(signal.reason);
        loading.callers -= 1;
        if (loading.callers > 0) return;
        // At once: whoever comes now must not join what is being ended.
        this.#forget(digest, loading);
        loading.controller.abort(signal.reason);
      };
      loading.bytes.finally(whenAborted(signal, leave)).then(resolve, reject);
    });
  }

  #forget(digest: string, loading: Loading): void {
    if (this.#loading.get(digest) === loading) this.#loading.delete(digest);
  }

  #reused(blob: StoredBlob, bytes: Uint8Array): Uint8Array {
    if (bytes.byteLength !== blob.byteLength) throw wrongLength(blob, String(bytes.byteLength));
    this.#tell('content.reused', blob);
    return bytes;
  }

  #tell(type: 'content.fetched' | 'content.reused', { digest, byteLength }: StoredBlob): void {
    const { feed, clock, node } = this.#parts;
    if (feed.observed) feed.emit({ type, at: clock.now(), node, digest, byteLength });
  }
}

async function readShared(blob: StoredBlob, signal: AbortSignal): Promise<Uint8Array> {
  const bytes = new Uint8Array(new SharedArrayBuffer(blob.byteLength));
  await readInto(bytes, blob, { signal });
  return bytes;
}

function wrongLength({ digest, byteLength }: StoredBlob, got: string): RoutineEngineError {
  return new RoutineEngineError(
    'CONTENT_CORRUPT',
    `The content ${digest} says that it has ${byteLength} bytes, but has ${got}`,
  );
}
