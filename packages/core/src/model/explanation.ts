import type { ResultKey, ResultMetadata } from './result.js';

/** In what a stored result differs from what a call asks for. @public */
export type ResultDifference =
  /** An argument, or a part of one. A stored result without a record of its arguments differs in `args`. */
  | { readonly what: 'argument'; readonly path: string }
  | { readonly what: 'version'; readonly stored: string; readonly called: string }
  /** The source of a `-dev` version. */
  | { readonly what: 'source' }
  | { readonly what: 'codec'; readonly stored: string; readonly called: string }
  /** It is older than the call's `ttlMs` allows. */
  | { readonly what: 'age'; readonly ageMs: number; readonly ttlMs: number };

/** Whether a call would be answered from the store, and if not, why. @public */
export type Explanation =
  | { readonly status: 'hit'; readonly key: ResultKey; readonly metadata: ResultMetadata }
  | {
      readonly status: 'miss';
      /** Absent when the call is not remembered at all: then nothing is ever looked up for it. */
      readonly key?: ResultKey;
      /** For people, in one sentence. */
      readonly why: string;
      /** The stored result of the routine that is most like it; absent when there is none. */
      readonly nearest?: {
        readonly key: ResultKey;
        readonly metadata: ResultMetadata;
        readonly differences: readonly ResultDifference[];
      };
    };

/** Where a result comes from. @public */
export interface Provenance {
  readonly key: ResultKey;
  /** Full id of the routine that computed it. */
  readonly routineId: string;
  /** When, by whom, from which arguments, how long; absent when the store has the result no more. */
  readonly metadata?: ResultMetadata;
  /** The results that were arguments of it by reference, or parts of some. */
  readonly inputs: readonly Provenance[];
}
