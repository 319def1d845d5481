/**
 * For applications: define routines, open a lifecycle, call them.
 * @packageDocumentation
 */
import './lifecycle/implicit.js';

export {
  define,
  type Routine,
  type RoutineCaller,
  type Task,
  type TaskOptions,
  type Workflow,
  type WorkflowOptions,
} from './define/define.js';
export type {
  AnsweredRun,
  FailedRun,
  FinishedRun,
  FinishedRunBase,
  Trigger,
  TriggerOptions,
  WatchedRoutine,
} from './define/trigger.js';
export type { HandlerOptions, TriggerWhen } from './model/trigger.js';
export type { MapItems, MapOptions, OnlyArgument, RoutineMap } from './define/map.js';
export type { Indivisible, ListWithRefs, OrRef, OrRefs, TupleWithRefs, WithRefs } from './define/or-ref.js';
export { move, type Movable } from './codec/move.js';
export { Ref, type BinaryResult } from './context/ref.js';
export { explain, provenance } from './define/explain.js';
export type { Explanation, Provenance, ResultDifference } from './model/explanation.js';
export type { ResultInput, ResultMetadata } from './model/result.js';
export { currentRun, type Run } from './context/run-scope.js';
export { Lifecycle, type LifecycleOptions } from './lifecycle/lifecycle.js';
export { executionPolicy, memoryStore, serializers } from './lifecycle/plugins.js';
export { tiered, type TieredOptions } from './lifecycle/tiered.js';
export { everythingHere, everythingRemote, subRoutinesRemote } from './policy/execution-policies.js';
export { ERRORS, type ErrorCode } from './errors/codes.js';
export { RoutineEngineError } from './errors/routine-engine-error.js';
export type { PlainCause, PlainError } from './errors/plain-error.js';
export type * from './events/engine-event.js';
export {
  completeRoutineId,
  formatRoutineId,
  matchesRoutineId,
  parseRoutineId,
  type NamedRoutineId,
  type RecordRoutineId,
  type RoutineId,
  type RoutineIdContext,
  type RoutineKind,
} from './model/routine-id.js';
export type {
  CacheOptions,
  CallOptions,
  DefinitionOptions,
  RetryOptions,
  RoutineOptions,
} from './model/routine-definition.js';
export type { Labels } from './model/labels.js';
export type { RunStatus, ServiceWorkerStatus, WorkerStatus } from './model/statuses.js';
export type { ExecutionPolicy, PolicyCall } from './ports/execution-policy.js';
export type { EnginePlugin } from './ports/plugin.js';
export type { CurrentRun, RoutineEngine } from './ports/routine-engine.js';
export type { RunHandle, Runs } from './ports/runs.js';
export type { RoutineInfo, WorkerInfo } from './model/cluster-info.js';
export type { RunFilter, RunInfo } from './model/run-info.js';
export type { Serializer } from './ports/serializer.js';
