import type { RetryOptions, RoutineOptions } from './routine-definition.js';
import type { NamedRoutineId } from './routine-id.js';

/**
 * How a run ended that a trigger may answer: its body gave a value, it failed, or a kept result or an equal call under way
 * answered it.
 * @public
 */
export type TriggerWhen = 'completed' | 'failed' | 'cached';

/** Every {@link TriggerWhen}. */
export const TRIGGER_WHENS: readonly TriggerWhen[] = ['completed', 'failed', 'cached'];

/** Which runs a trigger answers. @public */
export interface TriggerRule {
  /** Parts that are missing match: the project is filled in from where the trigger is used. */
  readonly on: NamedRoutineId;
  readonly when: readonly TriggerWhen[];
  readonly options: HandlerOptions;
}

/**
 * Options of the runs of a handler. Plain data: whoever requests such a run may not have the code of the handler.
 * @public
 */
export interface HandlerOptions extends Omit<RoutineOptions, 'cache' | 'retries'> {
  /** See {@link RoutineOptions.retries}. */
  readonly retries?: number | Omit<RetryOptions, 'retryIf'>;
}

/** A trigger as plain data, its project filled in. @public */
export interface OfferedTrigger {
  /** Routine id that may lack its version. */
  readonly on: string;
  readonly when: readonly TriggerWhen[];
  /** Absent on its way to the service, which has no use for them. */
  readonly options?: HandlerOptions | undefined;
}
