/**
 * For authors of adapters: kits that prove that an implementation keeps the promises of its contract.
 * The test runner is passed in.
 * @packageDocumentation
 */
export type { ComplianceRunner } from './compliance/runner.js';
export { resultStoreCompliance } from './compliance/result-store.js';
export type { ResultStorePlace, ResultStoreSubject } from './compliance/result-store-subject.js';
