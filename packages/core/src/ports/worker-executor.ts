import type { OfferedRoutine } from '../model/routine-definition.js';
import type { Executor } from './executor.js';
import type { RoutineEngine } from './routine-engine.js';

/** What an executor is told of the worker that it runs bodies for. @public */
export interface ExecutorHost {
  /** Project of the worker: routines of others are not offered. */
  readonly project: string;
  /** How many runs the worker lets compute at once, beside those in its inbox. */
  readonly slots: number;
  /** Answers the calls that bodies make in this thread. */
  readonly engine: Pick<RoutineEngine, 'run' | 'submit' | 'resolve' | 'open'>;
  /** Hears that nothing can be run any more, such as when no thread can be started in place of the last. */
  onExhausted(error: Error): void;
}

/** What runs the bodies of one worker, and knows what it can run. @public */
export interface WorkerExecutor extends Executor {
  /**
   * Keys of the serializers that it can read arguments with, once it has started. Runs that need others go elsewhere. Default:
   * those of the worker's codec.
   */
  readonly serializers?: readonly string[];
  /**
   * Gets ready; called once, before anything else.
   * @returns what it can run.
   * @throws {@link RoutineEngineError} `ROUTINE_MODULE_FAILED`, `ROUTINE_DUPLICATE`; then nothing is left of it.
   */
  start(host: ExecutorHost): Promise<readonly OfferedRoutine[]>;
}
