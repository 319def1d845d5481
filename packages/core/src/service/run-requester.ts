import type { Body } from '../model/body.js';
import type { Directive } from '../protocol/directives.js';
import type { OnRefused } from '../protocol/session.js';

/** Whom the service answers for a run: the node that asked for it, or whoever stands for that. */
export interface RunRequester {
  /** For people. */
  readonly name: string;
  /** How many connections it had. */
  readonly connections: number;
  /** Nobody waits for its runs. */
  readonly isGone: boolean;
  /** Whether it acknowledges each outcome, which is kept for it until then. */
  readonly acknowledges: boolean;
  /** Runs that it asked for and that are not answered. */
  openRuns: number;
  post(directive: Directive, body?: Body, onRefused?: OnRefused): void;
}
