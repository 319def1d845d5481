import { toPlainError } from '../errors/error-conversion.js';
import type { PlainError } from '../errors/plain-error.js';
import type { EngineEvent, RunEvent } from '../events/engine-event.js';
import type { EventFeed } from '../events/event-feed.js';
import { statusWithoutValue } from '../model/statuses.js';
import type { Clock } from '../ports/clock.js';

/** The run that events tell of. Its ids are read only when somebody listens. */
export interface EventRun {
  readonly runId: string;
  readonly routineId: string;
  readonly parentRunId?: string | undefined;
  readonly rootRunId: string;
  readonly attempt: number;
  /** Whether its terminal event was told: nothing may follow. Set here only. */
  toldEnd: boolean;
}

/** What a run event says beside which run and when. */
export type RunHappening = RunEvent extends infer Event
  ? Event extends RunEvent
    ? Omit<Event, 'at' | 'node' | 'runId' | 'routineId' | 'parentRunId' | 'rootRunId' | 'attempt'>
    : never
  : never;

/**
 * Tells what happens to runs, and holds each to one terminal event as its last: a body may go on, speak and even end
 * after its caller was told that it is cancelled. Costs one test while nobody listens.
 */
export class RunEvents {
  readonly #feed: EventFeed<EngineEvent>;
  readonly #clock: Clock;
  /** Name of the node that tells. */
  readonly node: string;

  constructor(parts: {
    readonly feed: EventFeed<EngineEvent>;
    readonly clock: Clock;
    readonly node: string;
  }) {
    this.#feed = parts.feed;
    this.#clock = parts.clock;
    this.node = parts.node;
  }

  /** By the clock of this node, in milliseconds since 1970. */
  get now(): number {
    return this.#clock.now();
  }

  get observed(): boolean {
    return this.#feed.observed;
  }

  tell(run: EventRun, happening: RunHappening): void {
    if (this.#feed.observed && !run.toldEnd) this.#emit(run, happening);
  }

  /** Terminal. The first one counts; it is marked before it is told, since a listener may end the run another way. */
  tellEnd(run: EventRun, happening: RunHappening): void {
    if (run.toldEnd) return;
    run.toldEnd = true;
    if (this.#feed.observed) this.#emit(run, happening);
  }

  /** Terminal: the run ended without a value. */
  tellFailure(run: EventRun, error: Error | PlainError, cancelled: boolean): void {
    if (!this.#feed.observed) {
      run.toldEnd = true;
      return;
    }
    const plain = error instanceof Error ? toPlainError(error) : error;
    const failed = statusWithoutValue(cancelled, plain.code) === 'FAILED';
    this.tellEnd(run, { type: failed ? 'run.failed' : 'run.cancelled', error: plain });
  }

  #emit(run: EventRun, happening: RunHappening): void {
    const { runId, routineId, parentRunId, rootRunId, attempt } = run;
    this.#feed.emit({
      at: this.#clock.now(),
      node: this.node,
      runId,
      routineId,
      rootRunId,
      attempt,
      ...(parentRunId !== undefined && { parentRunId }),
      ...happening,
    } as RunEvent);
  }
}
