import type { RequestStart } from '../protocol/directives.js';
import { kindKeyOf, RunKind } from './run-kind.js';

/** Kinds of which no run waits that are kept at hand. */
const KEPT = 1_024;

/** The kinds of runs: those of which runs wait, and some others, so that they need not find their workers again. */
export class RunKinds {
  readonly #kinds = new Map<string, RunKind>();
  readonly #onForgotten: (kind: RunKind) => void;

  constructor(onForgotten: (kind: RunKind) => void) {
    this.#onForgotten = onForgotten;
  }

  of(request: RequestStart): RunKind {
    const key = kindKeyOf(request);
    let kind = this.#kinds.get(key);
    if (!kind) {
      kind = new RunKind(key, request);
      this.#kinds.set(key, kind);
    }
    return kind;
  }

  /** None of a kind waits any more. */
  release(kind: RunKind): void {
    if (kind.waiting > 0 || this.#kinds.size <= KEPT) return;
    this.#kinds.delete(kind.key);
    this.#onForgotten(kind);
  }
}
