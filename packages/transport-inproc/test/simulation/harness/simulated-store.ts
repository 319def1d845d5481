import { createHash } from 'node:crypto';
import {
  bodyOf,
  encodedOf,
  EventFeed,
  RoutineEngineError,
  type BlobStore,
  type Encoded,
  type KeptBlob,
  type Lease,
  type LeaseStore,
  type ResultEntry,
  type ResultKey,
  type ResultMetadata,
  type ResultStore,
  type StoredBlob,
  type StoredResult,
  type StoreEvent,
} from '@routine-engine/core/adapter';
import type { SeededRandom, SimulatedProcess } from '@routine-engine/transport-inproc/simulation';

interface Kept {
  readonly metadata: ResultMetadata;
  readonly value: Encoded;
}

/** What the processes of one simulation keep in common, as a directory or a bucket would. It outlives them all. */
export class SharedStorage {
  readonly results = new Map<ResultKey, Kept>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly leases = new Map<
    ResultKey,
    { readonly token: object; readonly until: number; readonly process: SimulatedProcess }
  >();
  readonly random: SeededRandom;
  /** Virtual time, in milliseconds: stores go by a clock of their own. */
  readonly time: () => number;
  /** Hears that the result of a run is kept from now on. */
  onPut: (runId: string) => void = () => undefined;
  /** Longest time that an operation takes, in milliseconds. */
  latencyMs = 0;
  /** How often an operation fails, 0 to 1. */
  failureRate = 0;
  /** How often an operation was made to fail. */
  failures = 0;

  constructor(random: SeededRandom, time: () => number) {
    this.random = random;
    this.time = time;
  }
}

/** The {@link SharedStorage} as one process sees it: everything takes a while, and may fail. */
export class SimulatedStore implements ResultStore {
  readonly name = 'simulated';
  readonly identity = 'simulated:1';
  readonly capabilities = { durable: true, shared: true } as const;
  readonly blobs: BlobStore;
  readonly leases?: LeaseStore;
  readonly #feed = new EventFeed<StoreEvent>();
  readonly events$ = this.#feed.events$;
  readonly #access: Access;

  constructor(storage: SharedStorage, process: SimulatedProcess, hasLeases: boolean) {
    this.#access = new Access(storage, process);
    this.blobs = new SimulatedBlobs(this.#access);
    if (hasLeases) this.leases = new SimulatedLeases(this.#access);
  }

  get(key: ResultKey): Promise<StoredResult | undefined> {
    return this.#access.use(({ results }) => {
      const kept = results.get(key);
      return kept && { metadata: kept.metadata, body: bodyOf(kept.value) };
    });
  }

  async put(key: ResultKey, { metadata, body }: StoredResult): Promise<'stored' | 'present'> {
    const value = await encodedOf(body);
    const copy = {
      head: Uint8Array.from(value.head),
      buffers: value.buffers.map((each) => Uint8Array.from(each)),
    };
    return this.#access.use((storage) => {
      if (storage.results.has(key)) return 'present';
      storage.results.set(key, { metadata, value: copy });
      storage.onPut(metadata.runId);
      return 'stored';
    });
  }

  has(key: ResultKey): Promise<boolean> {
    return this.#access.use(({ results }) => results.has(key));
  }

  delete(key: ResultKey): Promise<boolean> {
    return this.#access.use(({ results }) => results.delete(key));
  }

  pin(key: ResultKey): Promise<boolean> {
    return this.has(key);
  }

  async *list(): AsyncGenerator<ResultEntry> {
    const all = await this.#access.use(({ results }) => [...results]);
    for (const [key, { metadata, value }] of all) {
      yield { key, metadata, byteLength: bodyOf(value).byteLength, pinned: false };
    }
  }

  async close(): Promise<void> {
    this.#feed.complete();
  }
}

/** One process on its way to the storage. */
class Access {
  readonly storage: SharedStorage;
  readonly process: SimulatedProcess;

  constructor(storage: SharedStorage, process: SimulatedProcess) {
    this.storage = storage;
    this.process = process;
  }

  use<T>(act: (storage: SharedStorage) => T, mayFail = true): Promise<T> {
    const { random, latencyMs, failureRate } = this.storage;
    const latency = random.next() * latencyMs;
    const fails = random.chance(failureRate) && mayFail;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        if (!fails) return resolve(act(this.storage));
        this.storage.failures += 1;
        reject(new RoutineEngineError('STORE_UNREACHABLE', 'The simulated store fails now and then'));
      };
      if (latency === 0) done();
      else this.process.after(latency, done);
    });
  }
}

class SimulatedBlobs implements BlobStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  async put(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<KeptBlob> {
    const bytes = await whole(source);
    const digest = createHash('sha256').update(bytes).digest('hex');
    return this.#access.use(({ blobs }) => {
      const outcome = blobs.has(digest) ? 'present' : 'stored';
      blobs.set(digest, bytes);
      return { blob: this.#blob(digest, bytes), outcome };
    });
  }

  get(digest: string): Promise<StoredBlob | undefined> {
    return this.#access.use(({ blobs }) => {
      const bytes = blobs.get(digest);
      return bytes && this.#blob(digest, bytes);
    });
  }

  delete(digest: string): Promise<boolean> {
    return this.#access.use(({ blobs }) => blobs.delete(digest));
  }

  async *list(): ReturnType<BlobStore['list']> {
    for (const [digest, { byteLength }] of this.#access.storage.blobs) yield { digest, byteLength, putAt: 0 };
  }

  #blob(digest: string, bytes: Uint8Array): StoredBlob {
    const access = this.#access;
    return {
      digest,
      byteLength: bytes.byteLength,
      async *chunks() {
        for (let from = 0; from < bytes.byteLength; from += 131_072) {
          yield await access.use(() => bytes.slice(from, from + 131_072), false);
        }
      },
    };
  }
}

class SimulatedLeases implements LeaseStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  acquire(key: ResultKey, { ttlMs }: { readonly ttlMs: number }): Promise<Lease | undefined> {
    const access = this.#access;
    const token = {};
    const until = (): number => access.storage.time() + ttlMs;
    const isMine = ({ leases }: SharedStorage): boolean => leases.get(key)?.token === token;
    return access.use((storage) => {
      const held = storage.leases.get(key);
      if (held && held.until > storage.time()) return undefined;
      storage.leases.set(key, { token, until: until(), process: access.process });
      return {
        renew: () =>
          access.use((now) => {
            if (isMine(now)) now.leases.set(key, { token, until: until(), process: access.process });
            return isMine(now);
          }),
        release: () => access.use((now) => void (isMine(now) && now.leases.delete(key))),
      };
    });
  }
}

async function whole(source: Uint8Array | AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  if (source instanceof Uint8Array) return Uint8Array.from(source);
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(Uint8Array.from(chunk));
  return new Uint8Array(Buffer.concat(chunks));
}
