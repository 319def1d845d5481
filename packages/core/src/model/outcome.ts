import type { PlainError } from '../errors/plain-error.js';
import type { Encoded } from './encoded.js';
import type { ReferenceData } from './reference.js';
import type { UnfinishedNode } from './unfinished-node.js';

/** How a run ended. @public */
export type Outcome =
  | {
      readonly status: 'DONE';
      /** Absent when a reference was asked for, and the value stays where it is kept. */
      readonly value?: Encoded | undefined;
      /** Names the kept result; present when it was asked for. */
      readonly reference?: ReferenceData | undefined;
      /** What stands for the value in canonical digests; present where it was computed. */
      readonly node?: Uint8Array | undefined;
      /** In place of `node`, from an executor to a host that finishes it. */
      readonly unfinishedNode?: UnfinishedNode | undefined;
      /** Identity of the store that holds the result durably by now. */
      readonly rememberedIn?: string | undefined;
      /** How long the body ran, in milliseconds. */
      readonly durationMs: number;
    }
  | {
      readonly status: 'FAILED';
      readonly error: PlainError;
      /**
       * The run came to nothing because what executed it is gone, and may be executed again: `lost` by no fault of its
       * own, `downfall` when it, or a run that it waited for, may have brought it down. Absent: it failed.
       */
      readonly again?: 'lost' | 'downfall' | undefined;
    }
  | { readonly status: 'CANCELLED'; readonly error: PlainError };
