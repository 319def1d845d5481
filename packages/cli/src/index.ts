/**
 * For `routine.config.ts`, which tells the `routine` command how to compose services, workers and clients.
 * @packageDocumentation
 */
export { defineConfig, type RoutineConfig } from './config/routine-config.js';
