import { codecKit } from './codec.js';
import { engineKit } from './engine.js';
import { executionPolicyKit } from './execution-policy.js';
import type { ComplianceKit } from './kit.js';
import { resultStoreKit } from './result-store.js';
import { serializerKit } from './serializer.js';
import { messagePipeKit } from './message-pipe.js';
import { transportKit } from './transport.js';

/** Every kit of this version. @public */
export const complianceKits: readonly ComplianceKit[] = [
  codecKit,
  engineKit,
  executionPolicyKit,
  resultStoreKit,
  serializerKit,
  messagePipeKit,
  transportKit,
];
