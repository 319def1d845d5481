import { assertResultKey } from '../../src/model/result.ts';
import type { Lease, LeaseStore } from '../../src/ports/lease-store.ts';

type Terms = Parameters<LeaseStore['acquire']>[1];
interface Held {
  readonly ttlMs: number;
  until: number;
}

/** Leases in memory that keep every promise: what the kit is judged with. */
export class MemoryLeases implements LeaseStore {
  readonly held = new Map<string, Held>();
  readonly #clock: { now(): number };

  constructor(clock: { now(): number }) {
    this.#clock = clock;
  }

  async acquire(key: string, { ttlMs, signal }: Terms): Promise<Lease | undefined> {
    assertResultKey(key);
    signal?.throwIfAborted();
    const held = this.held.get(key);
    if (held && held.until > this.#clock.now()) return undefined;
    return this.take(key, ttlMs);
  }

  /** Takes a lease, whoever holds it. */
  take(key: string, ttlMs: number): Lease {
    const own: Held = { ttlMs, until: this.#clock.now() + ttlMs };
    this.held.set(key, own);
    return {
      renew: async () => {
        if (this.held.get(key) !== own) return false;
        own.until = this.#clock.now() + ttlMs;
        return true;
      },
      release: async () => {
        if (this.held.get(key) === own) this.held.delete(key);
      },
    };
  }
}
