import { randomUUID } from 'node:crypto';
import {
  assertResultKey,
  type Lease,
  type LeaseStore,
  type ResultKey,
  RoutineEngineError,
  type StoreCallOptions,
  unlessAborted,
} from '@routine-engine/core/adapter';
import { followerOf } from './abort.js';
import type { FoundObject } from './object-store.js';
import { asMissing } from './entries.js';
import { readWhole } from './read-object.js';
import type { S3Place } from './s3-place.js';

const LEAST_TTL_MS = 1_000;
export const MOST_TTL_MS = 3_600_000;
/** Servers tell times in whole seconds: so much later than they say may something have been put. */
const ROUNDING_MS = 1_000;
const FENCE_DIGITS = 10;
const FENCE = /^\d{10}$/;
/** Most bytes of a lease that is read. */
const LEASE_BYTES = 4_096;

/** What is asked for with a lease. */
type Terms = StoreCallOptions & { readonly holder: string; readonly ttlMs: number };

/** A lease as it is kept. */
interface Kept {
  readonly bytes: Buffer;
  readonly found: FoundObject;
}

/**
 * Leases as objects `leases/<key>/<fence>`: who makes the object with the next fence first has it, and the greatest fence
 * counts. Only the server's clock tells when one has expired.
 */
export class S3Leases implements LeaseStore {
  readonly #place: S3Place;

  constructor(place: S3Place) {
    this.#place = place;
  }

  async acquire(key: ResultKey, options: Terms): Promise<Lease | undefined> {
    this.#place.refuseClosed();
    assertResultKey(key);
    const { ttlMs } = options;
    const signal = followerOf(options.signal);
    if (!(ttlMs >= LEAST_TTL_MS && ttlMs <= MOST_TTL_MS)) {
      const message = `ttlMs of a lease is ${LEAST_TTL_MS} to ${MOST_TTL_MS} milliseconds, not ${String(ttlMs)}`;
      throw new RoutineEngineError('OPTION_INVALID', message);
    }
    signal?.throwIfAborted();
    return unlessAborted(
      this.#place.looks.run(() => this.#take(key, options, signal)),
      signal,
    );
  }

  async #take(
    key: ResultKey,
    { holder, ttlMs }: Terms,
    signal: AbortSignal | undefined,
  ): Promise<Lease | undefined> {
    const { bucket } = this.#place;
    const doing = `take the lease of ${key}`;
    const fences = await this.#fencesOf(key, doing);
    const last = fences.at(-1);
    const held = last === undefined ? undefined : await this.#read(nameOf(key, last), doing, signal);
    if (held && !hasExpired(held)) return undefined;
    const fence = (last ?? 0) + 1;
    const bytes = Buffer.from(JSON.stringify({ id: randomUUID(), holder: holder.slice(0, 200), ttlMs }));
    if ((await bucket.putIfAbsent(nameOf(key, fence), doing, bytes, signal)) === 'present') {
      // The answer to a put that was made can be lost.
      const there = await this.#read(nameOf(key, fence), doing, signal);
      if (!there?.bytes.equals(bytes)) return undefined;
    }
    for (const old of fences) await bucket.remove(nameOf(key, old), doing);
    return new HeldLease(this.#place, this, key, fence, bytes);
  }

  /** Ascending. */
  async #fencesOf(key: ResultKey, doing: string): Promise<number[]> {
    const begin = `leases/${key}/`;
    const fences: number[] = [];
    for await (const { name } of this.#place.bucket.list(begin, doing)) {
      const fence = name.slice(begin.length);
      if (FENCE.test(fence)) fences.push(Number(fence));
    }
    return fences;
  }

  /** Whether that is the greatest fence. */
  async isLast(key: ResultKey, fence: number, doing: string): Promise<boolean> {
    return (await this.#fencesOf(key, doing)).at(-1) === fence;
  }

  async #read(name: string, doing: string, signal: AbortSignal | undefined): Promise<Kept | undefined> {
    return readWhole({ bucket: this.#place.bucket, name, doing, signal, most: LEASE_BYTES }).catch(asMissing);
  }
}

class HeldLease implements Lease {
  readonly #place: S3Place;
  readonly #leases: S3Leases;
  readonly #key: ResultKey;
  readonly #fence: number;
  readonly #bytes: Buffer;
  #released: Promise<void> | undefined;

  constructor(place: S3Place, leases: S3Leases, key: ResultKey, fence: number, bytes: Buffer) {
    this.#place = place;
    this.#leases = leases;
    this.#key = key;
    this.#fence = fence;
    this.#bytes = bytes;
  }

  async renew(): Promise<boolean> {
    this.#place.refuseClosed();
    if (this.#released) return false;
    const doing = `renew the lease of ${this.#key}`;
    return this.#place.looks.run(async () => {
      const etag = await this.#ownEtag(doing);
      if (etag === undefined) return false;
      const renewed = await this.#place.bucket.put(this.#name, doing, this.#bytes, etag);
      // In this order: whoever takes it sees that it was renewed, or this sees that it was taken.
      return renewed !== undefined && (await this.#leases.isLast(this.#key, this.#fence, doing));
    });
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    this.#place.refuseClosed();
    const doing = `release the lease of ${this.#key}`;
    await this.#place.looks.run(async () => {
      const etag = await this.#ownEtag(doing);
      if (etag !== undefined) await this.#place.bucket.remove(this.#name, doing, etag);
    });
  }

  /** `undefined` when the object is gone, or somebody else's. */
  async #ownEtag(doing: string): Promise<string | undefined> {
    const { bucket } = this.#place;
    const reading = { bucket, name: this.#name, doing, most: LEASE_BYTES };
    const there = await readWhole(reading).catch(asMissing);
    return there?.bytes.equals(this.#bytes) ? there.found.etag : undefined;
  }

  get #name(): string {
    return nameOf(this.#key, this.#fence);
  }
}

function hasExpired({ bytes, found }: Kept): boolean {
  const ttlMs = ttlOf(bytes);
  return found.answeredAt - found.modifiedAt > ttlMs + ROUNDING_MS;
}

/** What is no lease lasts as long as the longest, so that it goes in the end. */
function ttlOf(bytes: Buffer): number {
  try {
    const { ttlMs } = JSON.parse(bytes.toString('utf8')) as { ttlMs?: unknown };
    if (typeof ttlMs === 'number' && ttlMs <= MOST_TTL_MS) return ttlMs;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
  }
  return MOST_TTL_MS;
}

function nameOf(key: ResultKey, fence: number): string {
  return `leases/${key}/${String(fence).padStart(FENCE_DIGITS, '0')}`;
}
