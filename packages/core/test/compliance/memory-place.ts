import { MemoryStore } from '../../src/cache/memory-store.ts';
import { RoutineEngineError } from '../../src/errors/routine-engine-error.ts';
import type { StoreEvent } from '../../src/events/engine-event.ts';
import { EventFeed } from '../../src/events/event-feed.ts';
import type { ResultStorePlace } from '../../src/compliance/result-store-subject.ts';
import type { LeaseStore } from '../../src/ports/lease-store.ts';
import type { ResultStore, SweepOptions, SweptAmount } from '../../src/ports/result-store.ts';
import { MemoryBlobs } from './memory-blobs.ts';
import { MemoryLeases } from './memory-leases.ts';

/** What a store on a place does in its own, wrong way. */
export type PlaceBreakage = (sound: ResultStore, place: MemoryPlace) => Partial<ResultStore>;

const DAY_MS = 86_400_000;
let places = 0;

/** Results, blobs and leases in memory that outlast the stores which are opened on them, by a clock of their own. */
export class MemoryPlace implements ResultStorePlace {
  now = 1_800_000_000_000;
  readonly id = String((places += 1));
  readonly clock = { now: (): number => this.now };
  readonly results = new MemoryStore({ id: this.id, node: 'client', clock: this.clock });
  readonly blobs = new MemoryBlobs(this.clock);
  readonly leases = new MemoryLeases(this.clock);
  /** Keys of results that were changed behind the store's back. */
  readonly damaged = new Set<string>();
  readonly everDamaged = new Set<string>();
  /** Bytes of what writers that died have left, and when. */
  readonly litter: { readonly byteLength: number; readonly since: number }[] = [];
  readonly #breakage: PlaceBreakage;

  constructor(breakage: PlaceBreakage = () => ({})) {
    this.#breakage = breakage;
  }

  async open(): Promise<ResultStore> {
    return this.openNow();
  }

  openNow(): ResultStore {
    const sound = new PlaceStore(this);
    const broken = this.#breakage(sound, this);
    return new Proxy<ResultStore>(sound, {
      get: (_, name: keyof ResultStore) => {
        if (name in broken) return broken[name];
        const value: unknown = sound[name];
        return typeof value === 'function' ? (value.bind(sound) as unknown) : value;
      },
    });
  }

  leaveLitter(byteLength = 1000): void {
    this.litter.push({ byteLength, since: this.now });
  }

  /** Removes the litter that is older than a day. */
  sweep(dryRun: boolean): SweptAmount {
    const old = this.litter.filter(({ since }) => this.now - since > DAY_MS);
    if (!dryRun) for (const each of old) this.litter.splice(this.litter.indexOf(each), 1);
    return { items: old.length, byteLength: old.reduce((sum, { byteLength }) => sum + byteLength, 0) };
  }

  damage(key: string): void {
    this.damaged.add(key);
    this.everDamaged.add(key);
  }

  async destroy(): Promise<void> {
    await this.results.close();
  }
}

class PlaceStore implements ResultStore {
  readonly name = 'place';
  readonly identity: string;
  readonly capabilities = { durable: true, shared: true };
  readonly #feed = new EventFeed<StoreEvent>();
  readonly events$ = this.#feed.events$;
  readonly #place: MemoryPlace;
  readonly #underWay = new Set<Promise<unknown>>();
  #closed: Promise<void> | undefined;

  constructor(place: MemoryPlace) {
    this.#place = place;
    this.identity = `place:${place.id}`;
  }

  readonly blobs: NonNullable<ResultStore['blobs']> = {
    put: async (...args) => this.#during(() => this.#place.blobs.put(...args)),
    get: async (...args) => {
      this.#admit();
      return this.#place.blobs.get(...args);
    },
    delete: async (digest) => {
      this.#admit();
      return this.#place.blobs.delete(digest);
    },
    list: () => this.#admitted(this.#place.blobs.list()),
  };

  readonly leases: LeaseStore = {
    acquire: async (...args) => {
      this.#admit();
      return this.#place.leases.acquire(...args);
    },
  };

  async get(...args: Parameters<ResultStore['get']>): ReturnType<ResultStore['get']> {
    this.#admit();
    const [key] = args;
    if (!this.#place.damaged.delete(key)) return this.#place.results.get(...args);
    await this.#place.results.delete(key);
    this.#feed.emit({
      type: 'store.corrupt',
      at: 0,
      node: 'client',
      store: this.name,
      key,
      detail: 'damaged',
    });
    return undefined;
  }

  async put(...args: Parameters<ResultStore['put']>): ReturnType<ResultStore['put']> {
    return this.#during(() => this.#place.results.put(...args));
  }

  async has(key: string): Promise<boolean> {
    this.#admit();
    return this.#place.results.has(key);
  }

  async delete(key: string): Promise<boolean> {
    this.#admit();
    return this.#place.results.delete(key);
  }

  async pin(key: string, pinned: boolean): Promise<boolean> {
    this.#admit();
    return this.#place.results.pin(key, pinned);
  }

  list(): ReturnType<ResultStore['list']> {
    return this.#admitted(this.#place.results.list());
  }

  async sweep({ dryRun = false, signal }: SweepOptions = {}): Promise<SweptAmount> {
    this.#admit();
    signal?.throwIfAborted();
    return this.#place.sweep(dryRun);
  }

  close(): Promise<void> {
    this.#closed ??= Promise.allSettled(this.#underWay).then(() => this.#feed.complete());
    return this.#closed;
  }

  async *#admitted<T>(entries: AsyncIterable<T>): AsyncGenerator<T> {
    this.#admit();
    yield* entries;
  }

  async #during<T>(work: () => Promise<T>): Promise<T> {
    this.#admit();
    const working = work();
    this.#underWay.add(working);
    return working;
  }

  #admit(): void {
    if (this.#closed) throw new RoutineEngineError('STORE_CLOSED', 'The store is closed');
  }
}
