import type { PlainError } from '../errors/plain-error.js';
import type { Encoded } from './encoded.js';

/** How a run ended. @public */
export type Outcome =
  | {
      readonly status: 'DONE';
      readonly value: Encoded;
      /** Identity of the store that holds the result durably by now. */
      readonly rememberedIn?: string | undefined;
      /** How long the body ran, in milliseconds. */
      readonly durationMs: number;
    }
  | { readonly status: 'FAILED'; readonly error: PlainError }
  | { readonly status: 'CANCELLED'; readonly error: PlainError };
