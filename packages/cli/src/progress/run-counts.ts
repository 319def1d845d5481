import type { EngineEvent, RunEvent } from '@routine-engine/core';

/** What a run is doing, or how it ended. */
export type RunState = 'waiting' | 'running' | 'hanging' | 'done' | 'cached' | 'failed' | 'cancelled';

/** What runs of one routine do. */
export interface RoutineCounts {
  readonly routineId: string;
  readonly states: Readonly<Record<RunState, number>>;
  /** Share that runs in hand say is done, added up: 1.5 for three that are half through. */
  readonly underway: number;
}

const NEXT: Partial<Record<RunEvent['type'], RunState>> = {
  'run.requested': 'waiting',
  'run.dispatched': 'waiting',
  'run.retrying': 'waiting',
  'run.starting': 'running',
  'run.resumed': 'running',
  'run.hanging': 'hanging',
  'run.cached': 'cached',
  'run.completed': 'done',
  'run.failed': 'failed',
  'run.cancelled': 'cancelled',
};
const IN_HAND: ReadonlySet<RunState> = new Set(['waiting', 'running', 'hanging']);

interface Row {
  readonly routineId: string;
  readonly states: Record<RunState, number>;
  underway: number;
}

interface InHand {
  readonly row: Row;
  state: RunState;
  share: number;
}

/** Counts what the runs do that events tell of. What is over is only counted, so memory does not grow with it. */
export class RunCounts {
  readonly #rows = new Map<string, Row>();
  readonly #inHand = new Map<string, InHand>();

  /** In the order in which they were first called. */
  get routines(): readonly RoutineCounts[] {
    return [...this.#rows.values()];
  }

  take(event: EngineEvent): void {
    if (!('runId' in event) || !('attempt' in event)) return;
    const run = this.#inHand.get(event.runId) ?? this.#added(event);
    if (!run) return;
    if (event.type === 'run.progress') return setShare(run, event.total ? event.done / event.total : 0);
    const state = NEXT[event.type];
    if (state === undefined) return;
    run.row.states[run.state] -= 1;
    run.row.states[state] += 1;
    run.state = state;
    if (IN_HAND.has(state)) return;
    setShare(run, 0);
    this.#inHand.delete(event.runId);
  }

  /** A run that was not known: of its first event, for what comes after its last is not told. */
  #added({ type, runId, routineId }: RunEvent): InHand | undefined {
    if (type !== 'run.requested') return undefined;
    const row = this.#rows.get(routineId) ?? { routineId, states: noStates(), underway: 0 };
    this.#rows.set(routineId, row);
    row.states.waiting += 1;
    const run: InHand = { row, state: 'waiting', share: 0 };
    this.#inHand.set(runId, run);
    return run;
  }
}

function setShare(run: InHand, share: number): void {
  const bounded = Math.min(1, Math.max(0, share));
  run.row.underway += bounded - run.share;
  run.share = bounded;
}

function noStates(): Record<RunState, number> {
  return { waiting: 0, running: 0, hanging: 0, done: 0, cached: 0, failed: 0, cancelled: 0 };
}
