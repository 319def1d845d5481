import type { ResultKey } from '../model/result.js';
import type { ResultStore, ResultStoreCapabilities } from '../ports/result-store.js';
import type { ComplianceCase, ComplianceGroup, ComplianceSubject } from './kit.js';

/** An empty place for results, which stores can be opened on. @public */
export interface ResultStorePlace {
  /**
   * Opens a store on the place. Called once at a time unless the store is `shared`, and again after `close` only when
   * it is `durable`. The kit closes what it opens.
   */
  open(): Promise<ResultStore>;
  /** Removes the place, when every store on it is closed. */
  destroy(): Promise<void>;
}

/** The store that is judged. @public */
export interface ResultStoreSubject<
  Place extends ResultStorePlace = ResultStorePlace,
> extends ComplianceSubject {
  /** What the store declares: decides which cases there are, and one of them compares it with the store. */
  readonly capabilities: ResultStoreCapabilities;
  /** Makes an empty place, of its own for every case. */
  create(): Promise<Place>;
  /** Whether the store keeps blobs. Default `false`. */
  readonly blobs?: boolean;
  /** Whether the store has leases. Default `false`. */
  readonly leases?: boolean;
  /** Whether the store has a sweep. Default `false`. */
  readonly sweeps?: boolean;
  /**
   * Whether the store keeps copies of its own, so that it may go on giving what another store on the place has deleted. Default
   * `false`.
   */
  readonly copies?: boolean;
  /**
   * Lets that many milliseconds pass for the place: by the clock that its stores go by, or really. Without it there is no case of
   * leases that run out, of blobs that are put again later, or of sweeping up what is old.
   */
  elapse?(place: NoInfer<Place>, milliseconds: number): Promise<void> | void;
  /** Changes the kept bytes of a result behind the store's back. Leave it out where that cannot be done. */
  damage?(place: NoInfer<Place>, key: ResultKey): Promise<void>;
  /** The same for a blob, whose number of bytes stays. */
  damageBlob?(place: NoInfer<Place>, digest: string): Promise<void>;
  /** Leaves there what a writer leaves that dies in the middle of a large result. Leave it out where nothing is left. */
  litter?(place: NoInfer<Place>): Promise<void>;
}

/** What a store and its subject can do beyond the minimum: decides which cases there are. @public */
export interface StoreAbilities extends ResultStoreCapabilities {
  readonly blobs: boolean;
  readonly leases: boolean;
  readonly copies: boolean;
  readonly sweeps: boolean;
  readonly elapse: boolean;
  readonly damage: boolean;
  readonly damageBlob: boolean;
  readonly litter: boolean;
}

/** What one case of the kit for result stores gets. @public */
export interface StoreGiven {
  readonly can: StoreAbilities;
  readonly store: ResultStore;
  /** Opens another store on the same place. */
  readonly open: () => Promise<ResultStore>;
  /** Makes a store on another place. */
  readonly elsewhere: () => Promise<ResultStore>;
  readonly elapse: (milliseconds: number) => Promise<void>;
  readonly damage: (key: ResultKey) => Promise<void>;
  readonly damageBlob: (digest: string) => Promise<void>;
  readonly litter: () => Promise<void>;
}

export type StoreCase = ComplianceCase<StoreGiven, StoreAbilities>;
export type StoreGroup = ComplianceGroup<StoreGiven, StoreAbilities>;
