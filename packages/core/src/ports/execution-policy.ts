import type { RoutineKind } from '../model/routine-id.js';

/** What a policy knows of a call. @public */
export interface PolicyCall {
  /** Full routine id. */
  readonly routineId: string;
  readonly kind: RoutineKind;
  /** Whether a running routine made the call. */
  readonly nested: boolean;
  /** Whether the routine is defined in this process, so that it can run here. */
  readonly defined: boolean;
}

/** Decides where a call runs. Pure: the same call and context give the same answer. @public */
export interface ExecutionPolicy {
  /** For `explain`, logs and errors. */
  readonly name: string;
  decide(call: PolicyCall): 'here' | 'remote';
}
