/**
 * Virtual time, seeded chance and a network with faults: what a simulation gives to nodes in place of the real ones.
 * @packageDocumentation
 */
export { SeededIds } from './simulation/seeded-ids.js';
export { SeededRandom } from './simulation/seeded-random.js';
export { SimulatedClock, type RunOptions, type SimulatedClockOptions } from './simulation/simulated-clock.js';
export { SimulatedNetwork, type SimulatedNetworkOptions } from './simulation/simulated-network.js';
export type { SimulatedProcess } from './simulation/simulated-process.js';
export { memorySpool } from './simulation/memory-spool.js';
export type {
  DirectiveFate,
  LinkConditions,
  NetworkFaults,
  SentDirective,
} from './simulation/link-conditions.js';
