import type { EngineEvent, RunEvent } from '@routine-engine/core';
import { NO_PROGRESS, type ProgressState, reduceProgress } from '../src/progress-view.js';

/** What an event of a run says beyond what all of them say. */
type Saying<E> = E extends RunEvent
  ? Omit<E, 'runId' | 'routineId' | 'parentRunId' | 'rootRunId' | 'attempt' | 'at' | 'node'>
  : never;

/** Makes events of one run, at 1, 2, 3 ... seconds after 1970. */
export class RunTeller {
  static #seconds = 0;

  constructor(
    readonly runId: string,
    readonly routineId: string,
    readonly parentRunId?: string,
  ) {}

  tell(saying: Saying<RunEvent>, attempt = 1): RunEvent {
    return {
      ...saying,
      runId: this.runId,
      routineId: this.routineId,
      ...(this.parentRunId !== undefined && { parentRunId: this.parentRunId }),
      rootRunId: 'root',
      attempt,
      at: ++RunTeller.#seconds * 1000,
      node: 'client',
    } as RunEvent;
  }
}

export const root = () => new RunTeller('root', 'wfname:spam-sweep:sweep');
export const train = (runId: string) => new RunTeller(runId, 'tname:spam-sweep:train:1.0.0', 'root');

export const failure = { name: 'RangeError', message: 'learningRate is 0' };

/** The state after all of these, from nothing. */
export function after(...events: EngineEvent[]): ProgressState {
  return events.reduce(reduceProgress, NO_PROGRESS);
}
