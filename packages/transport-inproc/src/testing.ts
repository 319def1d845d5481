/**
 * For tests of routines and of engines: a whole cluster in virtual time, what became of its runs, recorded events, and proof
 * that a call gives the same wherever it runs.
 * @packageDocumentation
 */
export { expectSameRun, type Composition, type SameRunOptions } from './testing/expect-same-run.js';
export type { DirectiveChoice } from './testing/directive-faults.js';
export { ANY_STATUSES, expectStatuses, statusMatchers } from './testing/expect-statuses.js';
export { eventLine, readEvents, replayEvents } from './testing/recorded-events.js';
export {
  testCluster,
  type TestCluster,
  type TestClusterOptions,
  type TestNode,
  type WaitOptions,
} from './testing/test-cluster.js';
export {
  timelineOf,
  type RunTimeline,
  type StatusChange,
  type StatusTimeline,
  type Timeline,
} from './testing/timeline.js';
export { pause } from './testing/virtual-time.js';
