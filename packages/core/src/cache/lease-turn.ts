import { pause } from '../context/pause.js';
import type { CancelSignal } from '../ports/cancel-signal.js';
import type { Clock, Timer } from '../ports/clock.js';
import type { Lease, LeaseStore } from '../ports/lease-store.js';
import type { ResultKey } from '../model/result.js';

/** How long a lease lasts without being renewed, in milliseconds. */
const TTL_MS = 10_000;
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 500;

/** What {@link takeTurn} works with. */
export interface TurnParts {
  readonly leases: LeaseStore;
  readonly clock: Clock;
  /** Name of the node, for people. */
  readonly holder: string;
  /** Hears that the store could not be asked. The work goes on without a lease. */
  readonly onFailed: (error: unknown) => void;
}

/**
 * Lets one process of all that share a store compute a result, while the others wait for what it keeps.
 * @param look - looks the result up.
 * @param compute - computes and keeps it; called when this process has the lease, or nobody can tell who has.
 * @returns what `look` found, or `compute` gave. Rejects with what they throw; when cancelled before it computes, with the reason.
 */
export async function takeTurn<T>(
  key: ResultKey,
  parts: TurnParts,
  cancel: CancelSignal,
  look: () => Promise<T | undefined>,
  compute: () => Promise<T>,
): Promise<T> {
  for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
    const lease = await acquire(key, parts);
    await assertWanted(lease, parts, cancel);
    if (lease === 'unknown') return compute();
    // Also with the lease: whoever had it before may just have kept the result.
    if (lease || waitMs > FIRST_WAIT_MS) {
      const found = await look();
      if (found !== undefined) {
        await release(lease, parts);
        return found;
      }
      await assertWanted(lease, parts, cancel);
    }
    if (lease) return withLease(lease, parts, compute);
    await pause(waitMs, parts.clock, cancel);
    if (cancel.reason) throw cancel.reason;
  }
}

async function acquire(
  key: ResultKey,
  { leases, holder, onFailed }: TurnParts,
): Promise<Lease | 'unknown' | undefined> {
  try {
    return await leases.acquire(key, { holder, ttlMs: TTL_MS });
  } catch (error) {
    onFailed(error);
    return 'unknown';
  }
}

/** The store may take its time, and the call be cancelled meanwhile: then the lease is given back. @throws the reason. */
async function assertWanted(
  lease: Lease | 'unknown' | undefined,
  parts: TurnParts,
  { reason }: CancelSignal,
): Promise<void> {
  if (!reason) return;
  if (lease !== 'unknown') await release(lease, parts);
  throw reason;
}

async function withLease<T>(lease: Lease, parts: TurnParts, compute: () => Promise<T>): Promise<T> {
  let timer: Timer | undefined;
  const renewLater = (): void => {
    timer = parts.clock.after(
      TTL_MS / 3,
      () => void lease.renew().then(() => timer && renewLater(), parts.onFailed),
    );
  };
  renewLater();
  try {
    return await compute();
  } finally {
    timer?.cancel();
    timer = undefined;
    await release(lease, parts);
  }
}

async function release(lease: Lease | undefined, { onFailed }: TurnParts): Promise<void> {
  try {
    await lease?.release();
  } catch (error) {
    onFailed(error);
  }
}
