/**
 * For authors of adapters: kits that prove that an implementation keeps the promises of its contract.
 * The test runner is passed in.
 * @packageDocumentation
 */
export { codecCompliance, codecKit } from './compliance/codec.js';
export type { CodecAbilities, CodecGiven, CodecSubject } from './compliance/codec-subject.js';
export { engineCompliance, engineKit } from './compliance/engine.js';
export type { EngineAbilities, EngineSubject } from './compliance/engine-subject.js';
export {
  executionPolicyCompliance,
  executionPolicyKit,
  type ExecutionPolicyGiven,
  type ExecutionPolicySubject,
  type PolicyAbilities,
} from './compliance/execution-policy.js';
export { serializerCompliance, serializerKit } from './compliance/serializer.js';
export type { SerializerGiven, SerializerSubject } from './compliance/serializer-subject.js';
export type { CaseResources } from './compliance/case-resources.js';
export type { ComplianceCase, ComplianceGroup, ComplianceKit, ComplianceSubject } from './compliance/kit.js';
export { type CaseOptions, registerCompliance } from './compliance/register.js';
export type {
  ComplianceCaseReport,
  ComplianceCounts,
  ComplianceGroupReport,
  ComplianceReport,
} from './compliance/report.js';
export { complianceKits } from './compliance/kits.js';
export { complianceBadge, complianceSummary, complianceTable } from './compliance/report-text.js';
export { type ComplianceOptions, runCompliance } from './compliance/run-compliance.js';
export type { ComplianceRunner } from './compliance/runner.js';
export { messagePipeKit } from './compliance/message-pipe.js';
export type {
  MessagePipeAbilities,
  MessagePipeGiven,
  MessagePipeSubject,
  OpenPipe,
} from './compliance/message-pipe-subject.js';
export { type RawPeer, rawTcpPeer } from './compliance/raw-peer.js';
export { resultStoreCompliance, resultStoreKit } from './compliance/result-store.js';
export type {
  ResultStorePlace,
  ResultStoreSubject,
  StoreAbilities,
  StoreGiven,
} from './compliance/result-store-subject.js';
export { type FaultyLink, tcpLink, type TcpLinkOptions } from './compliance/tcp-link.js';
export { transportKit } from './compliance/transport.js';
export type {
  ConnectionEnds,
  TransportAbilities,
  TransportGiven,
  TransportPlace,
  TransportSubject,
} from './compliance/transport-subject.js';
