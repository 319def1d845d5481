import type { ResultKey } from '../model/result.js';
import type { StoreCallOptions } from './result-store.js';

/** The right to compute one result, for a time. Advisory: whoever lost it does no harm, but does the work twice. @public */
export interface Lease {
  /**
   * Makes it last `ttlMs` from now on.
   * @returns `false` when somebody else has it by now, since it was not renewed in time.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`.
   */
  renew(): Promise<boolean>;
  /** Gives it back, unless somebody else has it by now. A second call does nothing. */
  release(): Promise<void>;
}

/**
 * Lets processes that share nothing but a store agree on who computes a result. Clocks may differ by a few seconds.
 * @public
 */
export interface LeaseStore {
  /**
   * Takes the lease of a key, unless somebody holds it.
   * @param options - `holder`: name of the node, for people; `ttlMs`: how long it lasts without being renewed, in
   *   milliseconds, 1,000 to 3,600,000.
   * @returns `undefined` when somebody holds it.
   * @throws {@link RoutineEngineError} `STORE_UNREACHABLE`.
   */
  acquire(
    key: ResultKey,
    options: StoreCallOptions & { readonly holder: string; readonly ttlMs: number },
  ): Promise<Lease | undefined>;
}
