/**
 * For tests of routines: proof that a call gives the same wherever it runs.
 * @packageDocumentation
 */
export { expectSameRun, type Composition, type SameRunOptions } from './testing/expect-same-run.js';
