import { LIMITS } from '../model/limits.js';
import type { Clock } from '../ports/clock.js';
import { ANNOUNCED_AT_ONCE, type AnnouncedRun, type RunsAnnounced } from '../protocol/announcements.js';

/** A run that this node executes by itself. Its ids are read only when it is told of. */
export interface LocalRun {
  readonly runId: string;
  readonly routineId: string;
  readonly rootRunId: string;
  readonly parentRunId?: string | undefined;
}

/**
 * Tells the service of the runs that a node executes by itself, so that they are seen there. All of one turn by one directive;
 * a run that ends in the turn that it began in is not told of at all.
 */
export class RunAnnouncements {
  readonly #clock: Clock;
  readonly #post: (directive: RunsAnnounced) => void;
  /** Began, and not told yet; with the time. */
  readonly #begun = new Map<LocalRun, number>();
  readonly #told = new Map<LocalRun, number>();
  #ended: string[] = [];
  #isDue = false;

  constructor(clock: Clock, post: (directive: RunsAnnounced) => void) {
    this.#clock = clock;
    this.#post = post;
  }

  begins(run: LocalRun): void {
    if (this.#told.has(run)) return;
    this.#begun.set(run, this.#clock.now());
    this.#schedule();
  }

  ends(run: LocalRun): void {
    if (this.#begun.delete(run) || !this.#told.delete(run)) return;
    this.#ended.push(run.runId);
    this.#schedule();
  }

  /** The service knows of none: it is told of all that go on. */
  tellAgain(): void {
    this.#ended = [];
    for (const [run, startedAt] of this.#told) this.#begun.set(run, startedAt);
    this.#told.clear();
    if (this.#begun.size > 0) this.#schedule();
  }

  #schedule(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    this.#clock.nextTurn(() => this.#tell());
  }

  #tell(): void {
    this.#isDue = false;
    const started: AnnouncedRun[] = [];
    for (const [run, startedAt] of this.#begun) {
      if (this.#told.size >= LIMITS.announcedRuns) break;
      this.#told.set(run, startedAt);
      const { runId, routineId, rootRunId, parentRunId } = run;
      started.push({ runId, routineId, rootRunId, parentRunId, startedAt });
    }
    this.#begun.clear();
    const ended = this.#ended;
    this.#ended = [];
    for (let from = 0; from < Math.max(started.length, ended.length); from += ANNOUNCED_AT_ONCE) {
      const to = from + ANNOUNCED_AT_ONCE;
      this.#post({
        type: 'v1.run.announced',
        started: started.slice(from, to),
        ended: ended.slice(from, to),
      });
    }
  }
}
