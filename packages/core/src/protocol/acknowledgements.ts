import type { Clock } from '../ports/clock.js';
import type { AcknowledgeRuns, RunHeader } from './directives.js';

/** How many runs one directive acknowledges at most: so many fit into it, however long their ids are. */
const MOST_AT_ONCE = 1_000;

/** Acknowledges outcomes to one peer: all of one turn by one directive, since each directive costs more than what is in it. */
export class Acknowledgements {
  readonly #clock: Clock;
  readonly #post: (directive: AcknowledgeRuns) => void;
  #runs: RunHeader[] = [];

  constructor(clock: Clock, post: (directive: AcknowledgeRuns) => void) {
    this.#clock = clock;
    this.#post = post;
  }

  add({ runId, attempt, lease }: RunHeader): void {
    this.#runs.push({ runId, attempt, lease });
    if (this.#runs.length === 1) this.#clock.nextTurn(() => this.flush());
  }

  /** Tells at once what would be told in the next turn. */
  flush(): void {
    const runs = this.#runs;
    this.#runs = [];
    for (let from = 0; from < runs.length; from += MOST_AT_ONCE)
      this.#post({ type: 'v1.routine.ack', runs: runs.slice(from, from + MOST_AT_ONCE) });
  }
}
