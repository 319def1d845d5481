/**
 * For authors of adapters: the contracts they implement, and what helps to implement them.
 * @packageDocumentation
 */
export { RoutineEngineError } from './errors/routine-engine-error.js';
export { ERRORS, type ErrorCode } from './errors/codes.js';
export type { PlainCause, PlainError } from './errors/plain-error.js';
export { EventFeed } from './events/event-feed.js';
export type * from './events/engine-event.js';
export { bodyOf, dropBody, encodedOf, encodedOfParts, type Body } from './model/body.js';
export type { NodeGap, UnfinishedNode } from './model/unfinished-node.js';
export { readReferenceData, Reference, referenceData, type ReferenceData } from './model/reference.js';
export { assertBlobDigest, isBlobDigest, type BlobPart, type StoredBlob } from './model/stored-blob.js';
export { unlessAborted, untilAborted } from './model/until-aborted.js';
export { encodedBytes, isLoaded, type Encoded } from './model/encoded.js';
export { Gate } from './model/gate.js';
export type { Labels } from './model/labels.js';
export { LIMITS } from './model/limits.js';
export { fitsParts, isResultMetadata, isSize } from './model/result-metadata.js';
export {
  assertResultKey,
  type ResultInput,
  type ResultKey,
  type ResultMetadata,
  type StoredResult,
} from './model/result.js';
export type { EncodedCall, RememberControl, RetryControl } from './model/call.js';
export type { Outcome } from './model/outcome.js';
export type {
  CallOptions,
  DefinitionOptions,
  OfferedRoutine,
  RetryOptions,
  RoutineDefinition,
  RoutineOptions,
} from './model/routine-definition.js';
export type { HandlerOptions, OfferedTrigger, TriggerRule, TriggerWhen } from './model/trigger.js';
export type { NamedRoutineId, RecordRoutineId, RoutineId, RoutineKind } from './model/routine-id.js';
export type { NodeRole } from './model/node-role.js';
export type { RunStatus, ServiceWorkerStatus, WorkerStatus } from './model/statuses.js';
export type { BlobEntry, BlobStore, KeptBlob, Spool } from './ports/blob-store.js';
export type { CancelSignal } from './ports/cancel-signal.js';
export type { Clock, Timer } from './ports/clock.js';
export type {
  Codec,
  CodecCapabilities,
  DecodeOptions,
  DigestNodeOptions,
  EncodedValue,
  EncodeOptions,
  EncodeValueOptions,
  ValueStream,
} from './ports/codec.js';
export type { ExecutionPolicy, PolicyCall } from './ports/execution-policy.js';
export type { Executor, Requester, RunHost } from './ports/executor.js';
export type { Ids } from './ports/ids.js';
export type { Lease, LeaseStore } from './ports/lease-store.js';
export type { Logger } from './ports/logger.js';
export type { MessagePipe, MessagePipeCapabilities } from './ports/message-pipe.js';
export type { Random } from './ports/random.js';
export type {
  ResultEntry,
  ResultStore,
  ResultStoreCapabilities,
  StoreCallOptions,
  SweepOptions,
  SweptAmount,
} from './ports/result-store.js';
export type { RoutineCatalog } from './ports/routine-catalog.js';
export type { CurrentRun, RoutineCall, RoutineEngine, TriggeredRun } from './ports/routine-engine.js';
export type { RunHandle, Runs } from './ports/runs.js';
export type { RoutineInfo, WorkerInfo } from './model/cluster-info.js';
export type { RunFilter, RunInfo } from './model/run-info.js';
export type { Serializer } from './ports/serializer.js';
export type {
  Connection,
  ConnectionState,
  DirectiveHeader,
  Envelope,
  Listener,
  Transport,
  TransportCapabilities,
} from './ports/transport.js';
export {
  ADAPTER_API_VERSION,
  contribute,
  provide,
  type EnginePlugin,
  type Part,
  type PartGetter,
  type PartHooks,
} from './ports/plugin.js';
export {
  CLOCK,
  CODEC,
  EVENT_FEED,
  EXECUTION_POLICY,
  IDS,
  LOGGER,
  NODE_IDENTITY,
  RANDOM,
  RESULT_STORE,
  ROUTINE_CATALOG,
  ROUTINE_ENGINE,
  SERIALIZER,
  SERVICE_ADDRESS,
  SPOOL,
  TRANSPORT,
  type NodeIdentity,
  type Token,
} from './ports/tokens.js';
export { MsgpackrCodec } from './codec/msgpackr-codec.js';
export { multiplex, type MultiplexOptions } from './protocol/multiplexer.js';
export type { MultiplexLimits } from './protocol/multiplex-limits.js';
